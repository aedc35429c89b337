"""Builds person detectors by name, with their weights."""

from __future__ import annotations

import importlib.util
import logging
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import torch
from torch import Tensor

import ava_eval
from avdet.checkpoints.checkpoint_io import CheckpointError, load_checkpoint, read_tensors, save_checkpoint
from avdet.people.box_table import require_normalized
from avdet.people.box_table_detector import BoxTableDetector, ground_truth_boxes
from avdet.people.detector_classes import PERSON_CLASS
from avdet.people.onnx_detector import onnx_detector
from avdet.people.person_detector import MIN_SCORES, PersonDetector, TrainablePersonDetector
from avdet.people.torchvision_rcnn import MODELS, published_weights, torchvision_rcnn

__all__ = [
    "DETECTORS",
    "TRAINABLE",
    "build_person_detector",
    "build_trainable_detector",
    "default_min_score",
    "save_person_detector",
]

logger = logging.getLogger(__name__)
DETECTRON2_PAGE = "https://detectron2.readthedocs.io/tutorials/install.html"
TORCHVISION_MODEL = "resnet50"
SAMPLE_MODEL = "tiny"


@dataclass(frozen=True)
class DetectorOptions:
    """Arguments of `build_person_detector` and `build_trainable_detector`."""

    model: str | None
    weights: Path | None
    device: torch.device
    person_class: str
    output_format: str | None = None
    sample: bool = False


def build_person_detector(
    name: str | None = None,
    *,
    model: str | None = None,
    weights: Path | None = None,
    device: str | None = None,
    person_class: str = PERSON_CLASS,
    output_format: str | None = None,
) -> PersonDetector:
    """Builds a detector for inference, by default on the GPU if there is one.

    name: a key of DETECTORS; None selects the one of the weights, else Detectron2 if it is installed, else torchvision.
    model: for torchvision, a key of its MODELS (default resnet50); for Detectron2, a config file or a name in its zoo.
    weights: a file; one of tools/train_people.py determines name and model. None selects the published weights, which
    are downloaded once. For "onnx" the exported model, for "csv" and "ground_truth" the table to read.
    person_class: name of the class that is detected, or its number where the model has no names.
    output_format: for "onnx", a key of FORMATS; None recognises it.
    Raises ValueError if the arguments do not fit together or a file is missing.
    """
    if output_format is not None and _name_by_weights(name, weights) != "onnx":
        raise ValueError(f"--person-format {output_format} is for --person-detector onnx alone; leave it out")
    options = DetectorOptions(model, weights, _device(device), person_class, output_format)
    trained = _load_trained(options, name)
    if trained is not None:
        return trained
    return DETECTORS[_require_name(_name_by_weights(name, weights) or _default_name(), tuple(DETECTORS))](options)


def build_trainable_detector(
    name: str | None = None,
    *,
    model: str | None = None,
    weights: Path | None = None,
    device: str | None = None,
    person_class: str = PERSON_CLASS,
    output_format: str | None = None,
    sample: bool = False,
) -> TrainablePersonDetector:
    """Builds a detector of one class for fine-tuning; arguments as for `build_person_detector`, name from TRAINABLE.

    Training starts from the weights of `person_class`. Models without published weights start from random ones.
    `sample` selects a model that trains on a CPU.
    """
    options = DetectorOptions(model, weights, _device(device), person_class, sample=sample)
    trained = _load_trained(options, name)
    if trained is not None:
        return trained
    if output_format is not None or _name_by_weights(name, weights) == "onnx":
        raise ValueError("an exported detector cannot be trained; choose from detectron2, torchvision")
    return TRAINABLE[_require_name(name or _default_name(), tuple(TRAINABLE))](options)


def default_min_score(name: str | None, weights: Path | None) -> float:
    """`PersonDetector.min_score` of the detector that `build_person_detector` builds."""
    return MIN_SCORES[_require_name(_name_by_weights(name, weights) or "torchvision", tuple(DETECTORS))]


def save_person_detector(path: Path, detector: TrainablePersonDetector) -> None:
    """Writes a checkpoint from which `build_person_detector` rebuilds the detector."""
    state = {name: value.cpu() for name, value in detector.module.state_dict().items()}
    save_checkpoint(path, model_state=state, config={"people": detector.model_config}, class_names={1: "person"})


def _device(device: str | None) -> torch.device:
    try:
        torch_device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise ValueError(f"--device {device} is not a device; give cpu, cuda or cuda:1") from None
    if torch_device.type == "cuda" and (torch_device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"--device {device} does not exist: torch sees {torch.cuda.device_count()} GPUs; give cpu")
    return torch_device


def _name_by_weights(name: str | None, weights: Path | None) -> str | None:
    return "onnx" if name is None and weights is not None and weights.suffix.lower() == ".onnx" else name


def _default_name() -> str:
    if importlib.util.find_spec("detectron2") is not None:
        return "detectron2"
    logger.info(
        "Detectron2 is not installed; detecting persons with torchvision's Faster R-CNN. To install Detectron2: %s",
        DETECTRON2_PAGE,
    )
    return "torchvision"


def _require_name(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise ValueError(f"{name!r} is not a person detector; choose from {', '.join(names)}")
    return name


def _load_trained(options: DetectorOptions, name: str | None) -> TrainablePersonDetector | None:
    """The detector of a `save_person_detector` checkpoint; None for any other file."""
    weights, device, person_class = options.weights, options.device, options.person_class
    if weights is None or not zipfile.is_zipfile(weights):
        return None
    try:
        checkpoint = load_checkpoint(weights)
    except CheckpointError:
        return None
    model_config = checkpoint.config.get("people")
    if model_config is None:
        raise ValueError(
            f"{weights} is an action detector, not a person detector; give a checkpoint of train_people (--weights, or "
            "--person-weights of detect_actions)"
        )
    if name not in {None, model_config["detector"]}:
        raise ValueError(
            f"{weights} is a {model_config['detector']} detector, not a {name} one; leave --person-detector out"
        )
    if model_config["detector"] == "torchvision":
        return torchvision_rcnn(model_config["model"], checkpoint.model_state, device, person_class=person_class)
    backend = _detectron2_backend()
    detector = backend.detectron2_rcnn(backend.saved_config(model_config, device), None, person_class)
    detector.module.load_state_dict(checkpoint.model_state)
    return detector


def _torchvision(options: DetectorOptions) -> PersonDetector:
    model = _require_model(options.model or TORCHVISION_MODEL)
    state = published_weights(model) if options.weights is None else _read_state_dict(options.weights)
    return torchvision_rcnn(model, state, options.device, person_class=options.person_class)


def _trainable_torchvision(options: DetectorOptions) -> TrainablePersonDetector:
    model = _require_model(options.model or (SAMPLE_MODEL if options.sample else TORCHVISION_MODEL))
    state: Mapping[str, Tensor] | None = None
    if options.weights is not None:
        state = _read_state_dict(options.weights)
    elif MODELS[model].published is not None:
        state = published_weights(model)
    return torchvision_rcnn(model, state, options.device, person_class=options.person_class, person_only=True)


def _require_model(model: str) -> str:
    if model not in MODELS:
        raise ValueError(f"{model!r} is not a torchvision person detector; choose from {', '.join(MODELS)}")
    return model


def _read_state_dict(weights: Path) -> Mapping[str, Tensor]:
    """A state dict, bare or under "model", as torchvision's training scripts save it."""
    content = read_tensors(weights)
    state = content.get("model", content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{weights} holds no state dict of a detector; give one from torchvision or train_people")
    return state


def _detectron2(options: DetectorOptions) -> PersonDetector:
    backend = _detectron2_backend()
    config = backend.detectron2_config(options.model or backend.DEFAULT_MODEL, options.device)
    source = _detectron2_weights(config, options.weights)
    if source is None:
        raise ValueError(
            f"{options.model} names no trained weights; give a file: --weights, or --person-weights of detect_actions"
        )
    return backend.detectron2_rcnn(config, source, options.person_class)


def _trainable_detectron2(options: DetectorOptions) -> TrainablePersonDetector:
    backend = _detectron2_backend()
    model = options.model or (backend.SAMPLE_MODEL if options.sample else backend.DEFAULT_MODEL)
    config = backend.detectron2_config(model, options.device)
    weights = _detectron2_weights(config, options.weights)
    return backend.person_only_rcnn(backend.detectron2_rcnn(config, weights, options.person_class))


def _detectron2_weights(config: Any, weights: Path | None) -> str | None:  # noqa: ANN401  (Detectron2 may be absent)
    if weights is not None and not weights.is_file():
        raise ValueError(f"there are no weights at {weights}; give the path of a .pth or .pkl file")
    return str(weights or config.MODEL.WEIGHTS) or None


def _detectron2_backend() -> ModuleType:
    if importlib.util.find_spec("detectron2") is None:
        raise ValueError(
            f"Detectron2 is not installed; install it ({DETECTRON2_PAGE}) or use --person-detector torchvision"
        )
    from avdet.people import detectron2_rcnn  # noqa: PLC0415

    return detectron2_rcnn


def _onnx(options: DetectorOptions) -> PersonDetector:
    if options.weights is None:
        raise ValueError("the onnx detector needs a model; give an .onnx file with --person-weights")
    if options.model is not None:
        raise ValueError(f"--person-model {options.model} is not for --person-detector onnx; leave it out")
    return onnx_detector(
        options.weights, options.device, person_class=options.person_class, output_format=options.output_format
    )


def _csv_detector(options: DetectorOptions) -> PersonDetector:
    path = _table_file("csv", options)
    return _box_table_detector(ava_eval.read_boxes(path), path)


def _ground_truth_detector(options: DetectorOptions) -> PersonDetector:
    path = _table_file("ground_truth", options)
    return _box_table_detector(ground_truth_boxes(ava_eval.read_ground_truth(path)), path)


def _box_table_detector(boxes: pd.DataFrame, path: Path) -> BoxTableDetector:
    require_normalized(boxes, path)
    return BoxTableDetector(boxes.sort_values("score", ascending=False, kind="stable"))


def _table_file(name: str, options: DetectorOptions) -> Path:
    if options.weights is None:
        raise ValueError(f"the {name} detector reads a table in AVA's form; give it with --weights FILE.csv")
    if options.person_class != PERSON_CLASS:
        raise ValueError(f"the table of the {name} detector holds no classes; leave --person-class out")
    return options.weights


DETECTORS: dict[str, Callable[[DetectorOptions], PersonDetector]] = {
    "detectron2": _detectron2,
    "torchvision": _torchvision,
    "onnx": _onnx,
    "csv": _csv_detector,
    "ground_truth": _ground_truth_detector,
}
TRAINABLE: dict[str, Callable[[DetectorOptions], TrainablePersonDetector]] = {
    "detectron2": _trainable_detectron2,
    "torchvision": _trainable_torchvision,
}
