"""Faster R-CNN of torchvision: its published ones, trained on COCO, and a tiny one that is trained here.

Networks with 91 classes are COCO's, with 2 are people alone; the person is class 1 of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum
from torchvision.models.detection import (
    FasterRCNN,
    FasterRCNN_MobileNet_V3_Large_320_FPN_Weights,
    FasterRCNN_ResNet50_FPN_V2_Weights,
    fasterrcnn_mobilenet_v3_large_320_fpn,
    fasterrcnn_resnet50_fpn_v2,
)

from avdet.boxes import scale_xyxy
from avdet.people.person_detector import Picture
from avdet.people.tiny_rcnn import tiny_rcnn
from avdet.structures import PersonBoxes

__all__ = ["MODELS", "TorchvisionRCNN", "published_weights", "torchvision_rcnn"]

PERSON = 1
PEOPLE_ALONE = 2  # classes: background and person


def _resnet50(num_classes: int) -> FasterRCNN:
    return fasterrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=num_classes)


def _mobilenet(num_classes: int) -> FasterRCNN:
    return fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=num_classes)


class Model(NamedTuple):
    """`make`: the network with random weights for so many classes; `published`: torchvision's weights for it."""

    make: Callable[[int], FasterRCNN]
    published: WeightsEnum | None


MODELS = {
    "resnet50": Model(_resnet50, FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1),
    "mobilenet": Model(_mobilenet, FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1),
    "tiny": Model(tiny_rcnn, None),
}


class TorchvisionRCNN:
    """Detects people; learns too. `model` is a name of MODELS; its batch norms stand still where `freeze_norms`."""

    needs_frames = True

    def __init__(self, network: FasterRCNN, model: str, device: torch.device, *, freeze_norms: bool) -> None:
        self.module: nn.Module = network.to(device)
        self.model = model
        self._device = device
        self._freeze_norms = freeze_norms

    @property
    def recipe(self) -> dict[str, Any]:
        return {"detector": "torchvision", "model": self.model}

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]:
        self.module.eval()
        with torch.inference_mode():
            found = self.module([self._tensor(picture) for picture in pictures])
        return [_people(answer, picture) for answer, picture in zip(found, pictures, strict=True)]

    def losses(self, pictures: Sequence[Picture], people: Sequence[PersonBoxes]) -> dict[str, Tensor]:
        self.module.train()
        if self._freeze_norms:
            for part in self.module.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        targets = [self._target(one, picture) for one, picture in zip(people, pictures, strict=True)]
        return self.module([self._tensor(picture) for picture in pictures], targets)

    def _tensor(self, picture: Picture) -> Tensor:
        """(3, H, W) in [0, 1]; torchvision scales and normalises it."""
        return torch.from_numpy(picture.rgb).to(self._device).permute(2, 0, 1).float().div(255)

    def _target(self, people: PersonBoxes, picture: Picture) -> dict[str, Tensor]:
        boxes_px = scale_xyxy(people.boxes, *picture.size_px)
        labels = torch.full((len(people),), PERSON)
        return {"boxes": boxes_px.to(self._device), "labels": labels.to(self._device)}


def torchvision_rcnn(
    model: str, weights: Mapping[str, Tensor] | None, device: torch.device, *, people_alone: bool = False
) -> TorchvisionRCNN:
    """The network `model` of MODELS with these weights; without, all of it is random.

    `people_alone` gives weights of more classes a head for people alone that starts from their own, to be trained.
    Raises ValueError where the weights are another network's.
    """
    make = MODELS[model].make
    if weights is None:
        return TorchvisionRCNN(make(PEOPLE_ALONE), model, device, freeze_norms=False)
    if people_alone:
        weights = _without_other_classes(weights)
    bias = weights.get("roi_heads.box_predictor.cls_score.bias")
    network = make(PEOPLE_ALONE if bias is None else len(bias))
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        difference = str(error).splitlines()[-1].strip()[:120]
        raise ValueError(
            f"the weights are not those of torchvision's {model} detector ({difference}); give --model the one that "
            f"they were trained with: {', '.join(MODELS)}"
        ) from None
    return TorchvisionRCNN(network, model, device, freeze_norms=True)


def published_weights(model: str) -> Mapping[str, Tensor]:
    """Torchvision's own, trained on COCO: from its cache, or downloaded. Raises ValueError where there are none."""
    weights = MODELS[model].published
    if weights is None:
        raise ValueError(
            f"torchvision's {model} detector has no published weights; train it with tools/train_people.py and give "
            "--weights what that wrote"
        )
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        raise ValueError(
            f"{weights.url} cannot be downloaded ({error}); fetch it elsewhere and give the file: --weights, or "
            "--people of detect_actions"
        ) from None


def _people(found: dict[str, Tensor], picture: Picture) -> PersonBoxes:
    """Torchvision's answer is sorted by score."""
    person = found["labels"] == PERSON
    width, height = picture.size_px
    boxes = scale_xyxy(found["boxes"][person].cpu(), 1 / width, 1 / height).clamp(0, 1)
    return PersonBoxes.from_boxes(boxes, found["scores"][person].cpu())


def _without_other_classes(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A head for people alone: the rows of background and person of the head for all classes."""
    head = "roi_heads.box_predictor."
    rows = {"cls_score": PEOPLE_ALONE, "bbox_pred": 4 * PEOPLE_ALONE}
    cut = dict(weights)
    for layer, count in rows.items():
        for kind in ("weight", "bias"):
            name = f"{head}{layer}.{kind}"
            if name in cut:
                cut[name] = cut[name][:count]
    return cut
