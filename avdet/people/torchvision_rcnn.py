"""Person detection with torchvision's Faster R-CNN: models pre-trained on COCO, and a tiny one.

Class 0 is the background. Models have COCO's 91 classes, or 2: background and person.
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
from avdet.people.detector_classes import PERSON_CLASS, class_id, names_by_count
from avdet.people.person_detector import MIN_SCORES, KeyframeImage
from avdet.people.tiny_rcnn import tiny_rcnn
from avdet.structures import PersonBoxes

__all__ = ["MODELS", "TorchvisionRCNN", "published_weights", "torchvision_rcnn"]

PERSON_ONLY_CLASSES = 2  # background and person


def _resnet50(num_classes: int) -> FasterRCNN:
    return fasterrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=num_classes)


def _mobilenet(num_classes: int) -> FasterRCNN:
    return fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=num_classes)


class Model(NamedTuple):
    """`build`: from the number of classes to a model with random weights; `published`: torchvision's weights for it."""

    build: Callable[[int], FasterRCNN]
    published: WeightsEnum | None


MODELS = {
    "resnet50": Model(_resnet50, FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1),
    "mobilenet": Model(_mobilenet, FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1),
    "tiny": Model(tiny_rcnn, None),
}


class TorchvisionRCNN:
    """Trainable person detector.

    model: a key of MODELS; class_id: the class that is detected; freeze_bn: batch norm keeps its statistics in
    training.
    """

    needs_frames = True
    min_score = MIN_SCORES["torchvision"]

    def __init__(
        self, network: FasterRCNN, model: str, device: torch.device, *, class_id: int = 1, freeze_bn: bool
    ) -> None:
        self.module: nn.Module = network.to(device)
        self.model = model
        self._device = device
        self._class_id = class_id
        self._freeze_bn = freeze_bn

    @property
    def model_config(self) -> dict[str, Any]:
        """See TrainablePersonDetector.model_config."""
        return {"detector": "torchvision", "model": self.model}

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        self.module.eval()
        with torch.inference_mode():
            predictions = self.module([self._tensor(image) for image in images])
        return [self._persons(prediction, image) for prediction, image in zip(predictions, images, strict=True)]

    def losses(self, images: Sequence[KeyframeImage], persons: Sequence[PersonBoxes]) -> dict[str, Tensor]:
        """Torchvision's losses: loss_objectness, loss_rpn_box_reg, loss_classifier, loss_box_reg."""
        self.module.train()
        if self._freeze_bn:
            for module in self.module.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        targets = [self._target(boxes, image) for boxes, image in zip(persons, images, strict=True)]
        return self.module([self._tensor(image) for image in images], targets)

    def _tensor(self, image: KeyframeImage) -> Tensor:
        """(3, H, W) in [0, 1]; torchvision's model resizes and normalises it."""
        return torch.from_numpy(image.rgb).to(self._device).permute(2, 0, 1).float().div(255)

    def _target(self, persons: PersonBoxes, image: KeyframeImage) -> dict[str, Tensor]:
        boxes_px = scale_xyxy(persons.boxes, *image.size_px)
        labels = torch.full((len(persons),), self._class_id)
        return {"boxes": boxes_px.to(self._device), "labels": labels.to(self._device)}

    def _persons(self, prediction: dict[str, Tensor], image: KeyframeImage) -> PersonBoxes:
        """Torchvision sorts its predictions by score."""
        person = prediction["labels"] == self._class_id
        width, height = image.size_px
        boxes = scale_xyxy(prediction["boxes"][person].cpu(), 1 / width, 1 / height).clamp(0, 1)
        return PersonBoxes.from_boxes(boxes, prediction["scores"][person].cpu())


def torchvision_rcnn(
    model: str,
    weights: Mapping[str, Tensor] | None,
    device: torch.device,
    *,
    person_class: str = PERSON_CLASS,
    person_only: bool = False,
) -> TorchvisionRCNN:
    """Builds `model`, a key of MODELS, with these weights, or with random ones.

    person_class: name of the class that is detected.
    person_only: cuts a head for more classes down to the background and this class, for fine-tuning.
    Raises ValueError if the weights belong to another model or have no such class.
    """
    build = MODELS[model].build
    if weights is None:
        return TorchvisionRCNN(build(PERSON_ONLY_CLASSES), model, device, freeze_bn=False)
    bias = weights.get("roi_heads.box_predictor.cls_score.bias")
    classes = PERSON_ONLY_CLASSES if bias is None else len(bias)
    selected = class_id(person_class, _class_names(classes))
    if person_only:
        weights, classes, selected = _person_head_only(weights, selected), PERSON_ONLY_CLASSES, 1
    network = build(classes)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        difference = str(error).splitlines()[-1].strip()[:120]
        raise ValueError(
            f"the weights are not those of torchvision's {model} detector ({difference}); give --model the one that "
            f"they were trained with: {', '.join(MODELS)}"
        ) from None
    return TorchvisionRCNN(network, model, device, class_id=selected, freeze_bn=True)


def _class_names(count: int) -> dict[int, str]:
    """Names of a model's classes without its background, class 0."""
    if count == PERSON_ONLY_CLASSES:
        return {1: PERSON_CLASS}
    return {number: name for number, name in names_by_count(count).items() if number > 0}


def published_weights(model: str) -> Mapping[str, Tensor]:
    """Torchvision's COCO weights, from its cache or downloaded. Raises ValueError if there are none."""
    weights = MODELS[model].published
    if weights is None:
        raise ValueError(
            f"torchvision has no published weights for its {model} detector; train it with tools/train_people.py and "
            "give the resulting file to --weights"
        )
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        raise ValueError(
            f"{weights.url} cannot be downloaded ({error}); download it elsewhere and give the file to --weights, or "
            "to detect_actions' --person-weights"
        ) from None


def _person_head_only(weights: Mapping[str, Tensor], class_id: int) -> dict[str, Tensor]:
    """Keeps the box head's rows of the background and of one class."""
    rows = {"cls_score": [0, class_id], "bbox_pred": [*range(4), *range(4 * class_id, 4 * class_id + 4)]}
    kept = dict(weights)
    for layer, numbers in rows.items():
        for kind in ("weight", "bias"):
            name = f"roi_heads.box_predictor.{layer}.{kind}"
            if name in kept:
                kept[name] = kept[name][numbers]
    return kept
