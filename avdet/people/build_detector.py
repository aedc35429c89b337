"""Chooses a person detector, with its weights."""

from __future__ import annotations

import importlib.util
import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import torch
from torch import Tensor

import ava_eval
from avdet.checkpoints.checkpoint_io import CheckpointError, load_checkpoint, read_tensors, save_checkpoint
from avdet.people.box_table import refuse_pixels
from avdet.people.box_table_detector import TableBoxes, boxes_of_ground_truth
from avdet.people.person_detector import PersonDetector, TrainablePersonDetector
from avdet.people.torchvision_rcnn import MODELS, published_weights, torchvision_rcnn

__all__ = ["DETECTORS", "TRAINABLE", "build_person_detector", "build_trainable", "save_person_detector"]

logger = logging.getLogger(__name__)
DETECTRON2_PAGE = "https://detectron2.readthedocs.io/tutorials/install.html"
TORCHVISION_MODEL = "resnet50"
SAMPLE_MODEL = "tiny"


def build_person_detector(
    name: str | None = None, *, model: str | None = None, weights: Path | None = None, device: str | None = None
) -> PersonDetector:
    """A detector to use, on the GPU where there is one.

    name: a key of DETECTORS; None takes Detectron2 where it is installed, else torchvision.
    model: of torchvision, a key of its MODELS (default resnet50); of Detectron2, a config's file or name in its zoo.
    weights: a file; what tools/train_people.py wrote says itself what it is for. None takes the published ones, which
    are downloaded once; "csv" and "ground_truth" need their table here.
    Raises ValueError for what does not fit together or is not there.
    """
    where = _device(device)
    trained = _trained_here(weights, name, where)
    if trained is not None:
        return trained
    name = _known(name or _default(), tuple(DETECTORS))
    return DETECTORS[name](model, weights, where)


def build_trainable(
    name: str | None = None,
    *,
    model: str | None = None,
    weights: Path | None = None,
    device: str | None = None,
    sample: bool = False,
) -> TrainablePersonDetector:
    """A detector of people alone, to be fine-tuned: as `build_person_detector`, with `name` one of TRAINABLE.

    Models without published weights start with random ones. `sample` takes a model small enough for a CPU.
    """
    where = _device(device)
    trained = _trained_here(weights, name, where)
    if trained is not None:
        return trained
    name = _known(name or _default(), tuple(TRAINABLE))
    return TRAINABLE[name](model, weights, where, sample)


def save_person_detector(path: Path, detector: TrainablePersonDetector) -> None:
    """One file, from which `build_person_detector` makes the same detector; written whole or not at all."""
    state = {name: value.cpu() for name, value in detector.module.state_dict().items()}
    save_checkpoint(path, model_state=state, config={"people": detector.recipe}, class_names={1: "person"})


def _device(device: str | None) -> torch.device:
    try:
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise ValueError(f"--device {device} is no device; give cpu, cuda or cuda:1") from None
    if where.type == "cuda" and (where.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"--device {device} is not there: torch sees {torch.cuda.device_count()} GPUs; give cpu")
    return where


def _default() -> str:
    if importlib.util.find_spec("detectron2") is not None:
        return "detectron2"
    logger.info(
        "Detectron2 is not installed, so people are found with torchvision's Faster R-CNN. To use Detectron2: %s",
        DETECTRON2_PAGE,
    )
    return "torchvision"


def _known(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise ValueError(f"{name!r} is no person detector; known are {', '.join(names)}")
    return name


def _trained_here(weights: Path | None, name: str | None, device: torch.device) -> TrainablePersonDetector | None:
    """The detector of a file that `save_person_detector` wrote; None for files of others."""
    if weights is None or not zipfile.is_zipfile(weights):
        return None
    try:
        checkpoint = load_checkpoint(weights)
    except CheckpointError:
        return None
    recipe = checkpoint.config.get("people")
    if recipe is None:
        raise ValueError(
            f"{weights} is a detector of actions, not of people; give what train_people wrote (--weights, or --people "
            "of detect_actions)"
        )
    if name not in {None, recipe["detector"]}:
        raise ValueError(f"{weights} is a detector of {recipe['detector']}, not of {name}; leave --detector out")
    if recipe["detector"] == "torchvision":
        return torchvision_rcnn(recipe["model"], checkpoint.model_state, device)
    backend = _detectron2()
    detector = backend.detectron2_rcnn(backend.config_of_recipe(recipe, device), None)
    detector.module.load_state_dict(checkpoint.model_state)
    return detector


def _torchvision(model: str | None, weights: Path | None, device: torch.device) -> PersonDetector:
    model = _torchvision_model(model or TORCHVISION_MODEL)
    state = published_weights(model) if weights is None else _state_of_file(weights)
    return torchvision_rcnn(model, state, device)


def _trainable_torchvision(
    model: str | None, weights: Path | None, device: torch.device, sample: bool
) -> TrainablePersonDetector:
    model = _torchvision_model(model or (SAMPLE_MODEL if sample else TORCHVISION_MODEL))
    state: Mapping[str, Tensor] | None = None
    if weights is not None:
        state = _state_of_file(weights)
    elif MODELS[model].published is not None:
        state = published_weights(model)
    return torchvision_rcnn(model, state, device, people_alone=True)


def _torchvision_model(model: str) -> str:
    if model not in MODELS:
        raise ValueError(f"{model!r} is no model of torchvision's that is known here; known are {', '.join(MODELS)}")
    return model


def _state_of_file(weights: Path) -> Mapping[str, Tensor]:
    """A state dict, alone or as torchvision's training scripts save it."""
    content = read_tensors(weights)
    state = content.get("model", content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{weights} holds no state dict of a detector; give a file of torchvision's or train_people's")
    return state


def _detectron2_rcnn(model: str | None, weights: Path | None, device: torch.device) -> PersonDetector:
    backend = _detectron2()
    config = backend.detectron2_config(model or backend.DEFAULT_MODEL, device)
    source = _detectron2_weights(config, weights)
    if source is None:
        raise ValueError(
            f"{model} names no weights, so nothing is learned yet; give a file: --weights, or --people of "
            "detect_actions"
        )
    return backend.detectron2_rcnn(config, source)


def _trainable_detectron2(
    model: str | None, weights: Path | None, device: torch.device, sample: bool
) -> TrainablePersonDetector:
    backend = _detectron2()
    config = backend.detectron2_config(model or (backend.SAMPLE_MODEL if sample else backend.DEFAULT_MODEL), device)
    return backend.for_people_alone(backend.detectron2_rcnn(config, _detectron2_weights(config, weights)))


def _detectron2_weights(config: Any, weights: Path | None) -> str | None:  # noqa: ANN401  (Detectron2 may be absent)
    if weights is not None and not weights.is_file():
        raise ValueError(f"There are no weights at {weights}; give the path of a .pth or .pkl file")
    return str(weights or config.MODEL.WEIGHTS) or None


def _detectron2() -> ModuleType:
    if importlib.util.find_spec("detectron2") is None:
        raise ValueError(
            f"Detectron2 is not installed; {DETECTRON2_PAGE} says how to, or use --detector torchvision, which is there"
        )
    from avdet.people import detectron2_rcnn  # noqa: PLC0415

    return detectron2_rcnn


def _from_table(model: str | None, weights: Path | None, device: torch.device) -> PersonDetector:
    path = _table_file("csv", weights)
    return _table_boxes(ava_eval.read_boxes(path), path)


def _from_ground_truth(model: str | None, weights: Path | None, device: torch.device) -> PersonDetector:
    path = _table_file("ground_truth", weights)
    return _table_boxes(boxes_of_ground_truth(ava_eval.read_ground_truth(path)), path)


def _table_boxes(boxes: pd.DataFrame, path: Path) -> TableBoxes:
    refuse_pixels(boxes, path)
    return TableBoxes(boxes)


def _table_file(name: str, weights: Path | None) -> Path:
    if weights is None:
        raise ValueError(f"the detector {name} reads a table in AVA's form; give it with --weights FILE.csv")
    return weights


# Name: from (model, weights, device) to the detector.
DETECTORS: dict[str, Callable[[str | None, Path | None, torch.device], PersonDetector]] = {
    "detectron2": _detectron2_rcnn,
    "torchvision": _torchvision,
    "csv": _from_table,
    "ground_truth": _from_ground_truth,
}
# Name: from (model, weights, device, sample) to the detector.
TRAINABLE: dict[str, Callable[[str | None, Path | None, torch.device, bool], TrainablePersonDetector]] = {
    "detectron2": _trainable_detectron2,
    "torchvision": _trainable_torchvision,
}
