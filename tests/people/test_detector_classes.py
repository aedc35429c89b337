from __future__ import annotations

import pytest

from avdet.people.detector_classes import class_id, coco_names, names_by_count


def test_coco_has_80_classes_with_gaps_in_their_ids() -> None:
    names = coco_names()
    assert len(names) == 80 and (names[1], names[18], names[90]) == ("person", "dog", "toothbrush")
    assert 12 not in names  # the first gap


@pytest.mark.parametrize(
    ("count", "name", "number"), [(80, "person", 0), (80, "dog", 16), (91, "Dog", 18), (1, "person", 0), (3, "2", 2)]
)
def test_names_follow_from_the_number_of_classes(count: int, name: str, number: int) -> None:
    assert class_id(name, names_by_count(count)) == number


def test_an_unknown_class_is_explained() -> None:
    with pytest.raises(ValueError, match=r"no class 'cow'; give --person-class one of goat, sheep$"):
        class_id("cow", {4: "goat", 7: "sheep"})
    with pytest.raises(ValueError, match=r"its classes have no names; give --person-class the number of one: 0, 1$"):
        class_id("person", names_by_count(2))
