"""Class names of person detectors, and the class that is selected by its name."""

from __future__ import annotations

from collections.abc import Mapping

from torchvision.models.detection import FasterRCNN_ResNet50_FPN_V2_Weights

__all__ = ["class_id", "coco_names", "names_by_count"]

PERSON_CLASS = "person"  # the default


def coco_names() -> dict[int, str]:
    """COCO's 80 classes by the ids of its annotation files, 1 to 90 with gaps."""
    categories = FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"]
    return {number: name for number, name in enumerate(categories) if name not in {"__background__", "N/A"}}


def names_by_count(count: int) -> dict[int, str]:
    """Names of a detector whose file holds none: COCO's for 80 or 91 classes, "person" for one, else the numbers.

    80 classes are numbered from 0 in COCO's order, 91 by COCO's ids.
    """
    if count == 80:
        return dict(enumerate(coco_names().values()))
    if count == 91:
        return coco_names()
    return {0: PERSON_CLASS} if count == 1 else {number: str(number) for number in range(count)}


def class_id(wanted: str, names: Mapping[int, str]) -> int:
    """The id of the class `wanted`, a name in any case. Raises ValueError that lists the names."""
    for number, name in names.items():
        if name.casefold() == wanted.strip().casefold():
            return number
    known = ", ".join(names.values())
    if all(name.isdigit() for name in names.values()):
        raise ValueError(
            f"the person detector has no class {wanted!r}: its classes have no names; give --person-class the number "
            f"of one: {known}"
        )
    raise ValueError(f"the person detector has no class {wanted!r}; give --person-class one of {known}")
