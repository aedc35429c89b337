"""Detectron2's R-CNNs: any config of its model zoo, or a file. Imported only where Detectron2 is asked for.

The person is class 0 of its COCO detection and keypoint models and of networks for people alone. Masks and keypoints
are left out: they cost time and do not change the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from detectron2 import model_zoo
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode, get_cfg
from detectron2.data.transforms import ResizeShortestEdge
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from detectron2.utils.events import EventStorage
from torch import Tensor, nn

from avdet.boxes import scale_xyxy
from avdet.people.person_detector import Picture
from avdet.structures import PersonBoxes

__all__ = [
    "DEFAULT_MODEL",
    "SAMPLE_MODEL",
    "Detectron2RCNN",
    "detectron2_config",
    "detectron2_rcnn",
    "for_people_alone",
]

DEFAULT_MODEL = "COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml"
SAMPLE_MODEL = str(Path(__file__).with_name("detectron2_sample.yaml"))
PERSON = 0
HEAD_LAYERS = ("cls_score.weight", "cls_score.bias", "bbox_pred.weight", "bbox_pred.bias")


class Detectron2RCNN:
    """Detects people; learns too."""

    needs_frames = True

    def __init__(self, config: CfgNode, network: nn.Module) -> None:
        self.module = network
        self.config = config
        sizes = config.INPUT
        self._resize = ResizeShortestEdge(sizes.MIN_SIZE_TEST, sizes.MAX_SIZE_TEST)
        self._resize_in_training = ResizeShortestEdge(
            list(sizes.MIN_SIZE_TRAIN), sizes.MAX_SIZE_TRAIN, sizes.MIN_SIZE_TRAIN_SAMPLING
        )

    @property
    def recipe(self) -> dict[str, Any]:
        return {"detector": "detectron2", "config": self.config.dump()}

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]:
        self.module.eval()
        with torch.inference_mode():
            found = self.module([self._input(picture, self._resize) for picture in pictures])
        return [_people(one["instances"], picture) for one, picture in zip(found, pictures, strict=True)]

    def losses(self, pictures: Sequence[Picture], people: Sequence[PersonBoxes]) -> dict[str, Tensor]:
        self.module.train()
        inputs = [self._input(picture, self._resize_in_training) for picture in pictures]
        for one, here in zip(inputs, people, strict=True):
            height, width = one["image"].shape[1:]
            instances = Instances((height, width))
            instances.gt_boxes = Boxes(scale_xyxy(here.boxes, width, height))
            instances.gt_classes = torch.full((len(here),), PERSON)
            one["instances"] = instances
        with EventStorage():  # Detectron2's parts want somewhere to write their counts
            return self.module(inputs)

    def _input(self, picture: Picture, resize: ResizeShortestEdge) -> dict[str, Any]:
        """Resized as the config says; the answer comes in the pixels of `height` and `width`."""
        rgb = picture.rgb if self.config.INPUT.FORMAT == "RGB" else picture.rgb[:, :, ::-1]
        scaled = resize.get_transform(rgb).apply_image(rgb)
        width, height = picture.size_px
        image = torch.from_numpy(scaled.transpose(2, 0, 1).astype("float32"))
        return {"image": image, "height": height, "width": width}


class _StrictCheckpointer(DetectionCheckpointer):  # type: ignore[misc]
    """Detectron2 warns of what a file does not fill; people found with random weights are worse than none."""

    def _log_incompatible_keys(self, incompatible: Any) -> None:  # noqa: ANN401  (fvcore's own tuple)
        unfilled = [*incompatible.missing_keys, *(name for name, *_ in incompatible.incorrect_shapes)]
        unfilled = [name for name in unfilled if not name.endswith("num_batches_tracked")]
        if unfilled:
            raise ValueError(
                f"the weights do not fill {len(unfilled)} tensors of the network ({unfilled[0]}); give --model the "
                "config that they were trained with"
            )


def detectron2_config(model: str, device: torch.device) -> CfgNode:
    """`model`: a name in Detectron2's zoo or a YAML file. Raises ValueError where it is neither."""
    if Path(model).is_file():
        config = get_cfg()
        config.merge_from_file(model)
    else:
        try:
            config = model_zoo.get_config(model)
        except RuntimeError:
            raise ValueError(
                f"{model!r} is neither a file nor a config of Detectron2's model zoo; give --model for example "
                f"{DEFAULT_MODEL}"
            ) from None
        if not isinstance(config, CfgNode):
            raise ValueError(f"{model} is a LazyConfig; give --model one of the zoo's configs that end in .yaml")
        config.MODEL.WEIGHTS = _zoo_weights(model)
    return _without_extras(config, device)


def config_of_recipe(recipe: dict[str, Any], device: torch.device) -> CfgNode:
    config = get_cfg()
    config.merge_from_other_cfg(CfgNode.load_cfg(recipe["config"]))
    return _without_extras(config, device)


def detectron2_rcnn(config: CfgNode, weights: str | None) -> Detectron2RCNN:
    """With weights from a file or an address, as Detectron2 loads them (.pth, or the zoo's .pkl); None: random ones.

    Raises ValueError where they are another network's.
    """
    network = build_model(config)
    if weights is not None:
        _StrictCheckpointer(network).load(weights)
    return Detectron2RCNN(config, network)


def for_people_alone(detector: Detectron2RCNN) -> Detectron2RCNN:
    """The same network with a head for one class, which starts from the person's rows; to be trained."""
    config = detector.config.clone()
    if config.MODEL.META_ARCHITECTURE != "GeneralizedRCNN":
        raise ValueError(f"{config.MODEL.META_ARCHITECTURE} cannot be fine-tuned here; give --model an R-CNN")
    classes = config.MODEL.ROI_HEADS.NUM_CLASSES
    state = detector.module.state_dict()
    for name in [name for name in state if name.endswith(HEAD_LAYERS)]:
        # Detectron2 scores the background last, and has boxes for classes alone.
        rows = [PERSON, classes] if "cls_score" in name else range(4)
        state[name] = state[name][list(rows)]
    config.MODEL.ROI_HEADS.NUM_CLASSES = 1
    config.MODEL.WEIGHTS = ""
    network = build_model(config)
    network.load_state_dict(state)
    return Detectron2RCNN(config, network)


def _without_extras(config: CfgNode, device: torch.device) -> CfgNode:
    config.MODEL.MASK_ON = False
    config.MODEL.KEYPOINT_ON = False
    config.MODEL.DEVICE = str(device)
    return config


def _zoo_weights(model: str) -> str:
    try:
        return model_zoo.get_checkpoint_url(model)
    except RuntimeError:  # the zoo has no weights for it
        return ""


def _people(instances: Instances, picture: Picture) -> PersonBoxes:
    """Detectron2's answer is sorted by score."""
    person = instances.pred_classes == PERSON
    width, height = picture.size_px
    boxes = scale_xyxy(instances.pred_boxes.tensor[person].cpu(), 1 / width, 1 / height).clamp(0, 1)
    return PersonBoxes.from_boxes(boxes, instances.scores[person].cpu())
