"""Loads a checkpoint as a network for prediction; detector, classifier and feature extraction share it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from avdet.checkpoints.checkpoint_io import Checkpoint
from avdet.checkpoints.third_party import load_any_checkpoint
from avdet.checkpoints.weights import load_whole
from avdet.config import Config, parse_config
from avdet.datasets import AnyDataset
from avdet.datasets.class_names import ClassNames
from avdet.datasets.detection import DetectionDataset
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.inference_model import Precision, inference_model

__all__ = ["Network", "Task", "load_network", "read_checkpoint"]

Task = Literal["detection", "classification"]
_MAX_NEW = 2  # `load_whole` reports single missing weights
_CLASS_SET = re.compile(r"head\.classifier\.linear\.(\w+)\.bias")


@dataclass(frozen=True)
class Network:
    """A network in evaluation mode on `device`, the settings it was trained with, and its class sets."""

    task: Task
    model: ActionModel
    config: Config
    classes: Mapping[str, ClassNames]
    device: torch.device


def load_network(
    path: str | Path, *, task: Task | None = None, device: str | None = None, precision: Precision = "auto"
) -> Network:
    """Loads a checkpoint of train_net, which holds all settings, or a public one of another code base as it is.

    task: raises ValueError for a checkpoint of the other one. device: by default the GPU if there is one.
    precision: see `inference_model`.
    """
    checkpoint, config, dataset = read_checkpoint(Path(path), task=task)
    classes = _class_sets(checkpoint)
    torch_device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    num_classes = {name: len(names) for name, names in classes.items()}
    if isinstance(dataset, DetectionDataset):
        if "action" not in classes:
            raise ValueError(f"{path} has no classifier of actions; give a checkpoint of train_net")
        exclusive = dataset.exclusive_groups(classes["action"])
        build = partial(build_model, config.model, num_classes=num_classes, head="roi", exclusive=exclusive)
    else:
        multilabel = dataset.multilabel and dataset.config.task == "classification"
        crop_px = config.data.train_crop
        build = partial(
            build_model, config.model, num_classes=num_classes, head="clip", multilabel=multilabel, crop_px=crop_px
        )
    _require_weights(build, checkpoint, path)
    model = build()
    load_whole(model, checkpoint.model_state, path)
    return Network(_task_of(dataset), inference_model(model, torch_device, precision), config, classes, torch_device)


def _require_weights(build: Callable[[], ActionModel], checkpoint: Checkpoint, path: str | Path) -> None:
    """Builds the model without memory. Raises ValueError if its settings ask for more weights than the file has."""
    with torch.device("meta"):
        wanted = sum(tensor.numel() for tensor in build().state_dict().values())
    given = sum(tensor.numel() for tensor in checkpoint.model_state.values())
    if wanted > _MAX_NEW * given:
        raise ValueError(
            f"{path} has {given:,} weights, but its settings describe a model with {wanted:,}; use the original file"
        )


def read_checkpoint(path: Path, *, task: Task | None = None) -> tuple[Checkpoint, Config, AnyDataset]:
    """A checkpoint of actions with its settings and its benchmark.

    Raises ValueError for a person detector, and for a checkpoint of another task than `task`.
    """
    checkpoint = load_any_checkpoint(path)
    if "people" in checkpoint.config:
        raise ValueError(
            f"{path} is a person detector; give it to --person-weights, and a checkpoint of train_net to --checkpoint"
        )
    config = parse_config(checkpoint.config)
    dataset = config.dataset()
    if task == "detection" and _task_of(dataset) != task:
        raise ValueError(
            f"{path} classifies whole clips ({config.data.kind}) and detects no persons; use tools/classify.py "
            "(ActionClassifier), or train a detector from it with model.weights, as configs/ava does"
        )
    if task == "classification" and _task_of(dataset) != task:
        raise ValueError(
            f"{path} is a detector of the actions of persons ({config.data.kind}) and classifies no clips; use "
            "tools/detect_actions.py (ActionDetector)"
        )
    return checkpoint, config, dataset


def _task_of(dataset: AnyDataset) -> Task:
    return "detection" if isinstance(dataset, DetectionDataset) else "classification"


def _class_sets(checkpoint: Checkpoint) -> dict[str, ClassNames]:
    """The class sets by name. Names of several sets are stored numbered through, as `verb: take`."""
    counts = {match[1]: len(x) for name, x in checkpoint.model_state.items() if (match := _CLASS_SET.fullmatch(name))}
    classes = ClassNames.from_label_map(checkpoint.class_names)
    if len(counts) == 1:
        return dict.fromkeys(counts, classes)
    sets: dict[str, ClassNames] = {}
    names = iter(classes.names)
    if sum(counts.values()) != len(classes):
        raise ValueError(f"the checkpoint has {sum(counts.values())} outputs for {len(classes)} classes; use another")
    for class_set, count in counts.items():
        sets[class_set] = ClassNames.numbered([next(names).removeprefix(f"{class_set}: ") for _ in range(count)])
    return sets
