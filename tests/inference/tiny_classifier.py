"""Small classifiers with random weights: one class set, several labels (Charades), verbs and nouns (EPIC)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.config import Config, parse_config
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_config

ACTIONS = {"action": ("clap", "sit", "talk")}
EPIC_SETS = {"verb": ("take", "put"), "noun": ("cup", "pan", "lid")}


def tiny_classifier_config(kind: str = "folders", **model: Any) -> Config:  # noqa: ANN401  (any setting)
    settings = tiny_config(slow_stride=8, **model).model_dump(mode="json")
    data = {"kind": kind, "train_crop": 32, "train_short_side": [32, 32], "test_short_side": 40, "test_num_clips": 4}
    return parse_config({"name": kind, "model": settings, "data": data})


def save_tiny_classifier(
    path: Path,
    kind: str = "folders",
    class_sets: Mapping[str, tuple[str, ...]] = ACTIONS,
    **model: Any,  # noqa: ANN401  (any setting)
) -> Path:
    """A checkpoint of the given benchmark, whose class names are stored as train_net stores them."""
    torch.manual_seed(0)
    config = tiny_classifier_config(kind, **model)
    counts = {name: len(names) for name, names in class_sets.items()}
    network = build_model(
        config.model, num_classes=counts, head="clip", multilabel=kind == "charades", crop_px=config.data.train_crop
    )
    shake(network)
    prefix = {name: f"{name}: " if len(class_sets) > 1 else "" for name in class_sets}
    names = [f"{prefix[name]}{label}" for name, labels in class_sets.items() for label in labels]
    save_checkpoint(
        path,
        model_state=network.state_dict(),
        config=config.model_dump(mode="json"),
        class_names=dict(enumerate(names)),
    )
    return path
