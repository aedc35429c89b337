"""Person detection with Detectron2's R-CNNs, from a config of its model zoo or a file. Imported only if it is used.

Mask and keypoint heads are switched off: they cost time and do not change the boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from detectron2 import model_zoo
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode, get_cfg
from detectron2.data import MetadataCatalog
from detectron2.data.transforms import ResizeShortestEdge
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from detectron2.utils.events import EventStorage
from torch import Tensor, nn

from avdet.boxes import scale_xyxy
from avdet.people.detector_classes import PERSON_CLASS, class_id, names_by_count
from avdet.people.person_detector import MIN_SCORES, KeyframeImage
from avdet.structures import PersonBoxes

__all__ = [
    "DEFAULT_MODEL",
    "SAMPLE_MODEL",
    "Detectron2RCNN",
    "detectron2_config",
    "detectron2_rcnn",
    "person_only_rcnn",
    "saved_config",
]

DEFAULT_MODEL = "COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml"
SAMPLE_MODEL = str(Path(__file__).with_name("detectron2_sample.yaml"))
HEAD_LAYERS = ("cls_score.weight", "cls_score.bias", "bbox_pred.weight", "bbox_pred.bias")


class Detectron2RCNN:
    """Trainable person detector. Raises ValueError if the config's classes do not include `person_class`."""

    needs_frames = True
    min_score = MIN_SCORES["detectron2"]

    def __init__(self, config: CfgNode, network: nn.Module, person_class: str = PERSON_CLASS) -> None:
        self.module = network
        self.config = config
        self.class_id = class_id(person_class, _class_names(config))
        sizes = config.INPUT
        self._test_resize = ResizeShortestEdge(sizes.MIN_SIZE_TEST, sizes.MAX_SIZE_TEST)
        self._train_resize = ResizeShortestEdge(
            list(sizes.MIN_SIZE_TRAIN), sizes.MAX_SIZE_TRAIN, sizes.MIN_SIZE_TRAIN_SAMPLING
        )

    @property
    def model_config(self) -> dict[str, Any]:
        """See TrainablePersonDetector.model_config."""
        return {"detector": "detectron2", "config": self.config.dump()}

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        self.module.eval()
        with torch.inference_mode():
            outputs = self.module([self._input(image, self._test_resize) for image in images])
        return [self._persons(output["instances"], image) for output, image in zip(outputs, images, strict=True)]

    def losses(self, images: Sequence[KeyframeImage], persons: Sequence[PersonBoxes]) -> dict[str, Tensor]:
        """Losses of Detectron2's model."""
        self.module.train()
        inputs = [self._input(image, self._train_resize) for image in images]
        for one_input, boxes in zip(inputs, persons, strict=True):
            height, width = one_input["image"].shape[1:]
            instances = Instances((height, width))
            instances.gt_boxes = Boxes(scale_xyxy(boxes.boxes, width, height))
            instances.gt_classes = torch.full((len(boxes),), self.class_id)
            one_input["instances"] = instances
        with EventStorage():  # Detectron2's modules log to the current storage
            return self.module(inputs)

    def _input(self, image: KeyframeImage, resize: ResizeShortestEdge) -> dict[str, Any]:
        """Model input, resized; predicted boxes are in pixels of `height` and `width`, the image's own size."""
        rgb = image.rgb if self.config.INPUT.FORMAT == "RGB" else image.rgb[:, :, ::-1]
        scaled = resize.get_transform(rgb).apply_image(rgb)
        width, height = image.size_px
        tensor = torch.from_numpy(scaled.transpose(2, 0, 1).astype("float32"))
        return {"image": tensor, "height": height, "width": width}

    def _persons(self, instances: Instances, image: KeyframeImage) -> PersonBoxes:
        """Detectron2 sorts its predictions by score."""
        person = instances.pred_classes == self.class_id
        width, height = image.size_px
        boxes = scale_xyxy(instances.pred_boxes.tensor[person].cpu(), 1 / width, 1 / height).clamp(0, 1)
        return PersonBoxes.from_boxes(boxes, instances.scores[person].cpu())


class _StrictCheckpointer(DetectionCheckpointer):  # type: ignore[misc]
    """Raises for missing weights, where Detectron2 only warns: boxes of random weights are worse than none."""

    def _log_incompatible_keys(self, incompatible: Any) -> None:  # noqa: ANN401  (fvcore's own tuple)
        missing = [*incompatible.missing_keys, *(name for name, *_ in incompatible.incorrect_shapes)]
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing:
            raise ValueError(
                f"the weights lack {len(missing)} tensors of the model ({missing[0]}); give --model the config that "
                "they were trained with"
            )


def detectron2_config(model: str, device: torch.device) -> CfgNode:
    """Config of `model`, a name in Detectron2's zoo or a YAML file. Raises ValueError if it is neither."""
    if Path(model).is_file():
        config = get_cfg()
        config.merge_from_file(model)
    else:
        try:
            config = model_zoo.get_config(model)
        except RuntimeError:
            raise ValueError(
                f"{model!r} is neither a file nor a config of Detectron2's model zoo; give --model a name "
                f"such as {DEFAULT_MODEL}"
            ) from None
        if not isinstance(config, CfgNode):
            raise ValueError(f"{model} is a LazyConfig; give --model a zoo config that ends in .yaml")
        config.MODEL.WEIGHTS = _zoo_weights(model)
    return _boxes_only(config, device)


def saved_config(model_config: dict[str, Any], device: torch.device) -> CfgNode:
    """Config from `Detectron2RCNN.model_config`."""
    config = get_cfg()
    config.merge_from_other_cfg(CfgNode.load_cfg(model_config["config"]))
    return _boxes_only(config, device)


def detectron2_rcnn(config: CfgNode, weights: str | None, person_class: str = PERSON_CLASS) -> Detectron2RCNN:
    """Builds the model with weights from a file or URL (.pth, or the zoo's .pkl), or with random ones.

    Raises ValueError if the weights belong to another model.
    """
    network = build_model(config)
    if weights is not None:
        _StrictCheckpointer(network).load(weights)
    return Detectron2RCNN(config, network, person_class)


def person_only_rcnn(detector: Detectron2RCNN) -> Detectron2RCNN:
    """Copies the detector with its head cut down to the class that it detects, for fine-tuning."""
    config = detector.config.clone()
    if config.MODEL.META_ARCHITECTURE != "GeneralizedRCNN":
        raise ValueError(f"{config.MODEL.META_ARCHITECTURE} cannot be fine-tuned; give --model an R-CNN")
    classes = config.MODEL.ROI_HEADS.NUM_CLASSES
    state = detector.module.state_dict()
    for name in [name for name in state if name.endswith(HEAD_LAYERS)]:
        # Detectron2's class scores end with the background; its box regression has no background.
        rows = [detector.class_id, classes] if "cls_score" in name else _box_rows(len(state[name]), detector.class_id)
        state[name] = state[name][list(rows)]
    config.MODEL.ROI_HEADS.NUM_CLASSES = 1
    config.MODEL.WEIGHTS = ""
    network = build_model(config)
    network.load_state_dict(state)
    return Detectron2RCNN(config, network)


def _box_rows(rows: int, class_id: int) -> range:
    """One class's rows of the box regression; class-agnostic models have four for all classes."""
    first = 4 * class_id if rows > 4 else 0
    return range(first, first + 4)


def _class_names(config: CfgNode) -> dict[int, str]:
    """Names of the training data set where Detectron2 knows it and the model has all its classes."""
    section = config.MODEL.RETINANET if config.MODEL.META_ARCHITECTURE == "RetinaNet" else config.MODEL.ROI_HEADS
    count = section.NUM_CLASSES
    for dataset in config.DATASETS.TRAIN:
        names = MetadataCatalog.get(dataset).get("thing_classes") if dataset in MetadataCatalog else None
        if names is not None and len(names) == count:
            return dict(enumerate(names))
    return names_by_count(count)


def _boxes_only(config: CfgNode, device: torch.device) -> CfgNode:
    config.MODEL.MASK_ON = False
    config.MODEL.KEYPOINT_ON = False
    config.MODEL.DEVICE = str(device)
    return config


def _zoo_weights(model: str) -> str:
    try:
        return model_zoo.get_checkpoint_url(model)
    except RuntimeError:  # the zoo has no weights for this config
        return ""
