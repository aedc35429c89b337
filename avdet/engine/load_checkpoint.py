"""Loads a checkpoint for training: pre-trained weights, or the state of a run that resumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from avdet.checkpoints.checkpoint_io import load_newest, load_weights
from avdet.checkpoints.third_party import load_any_checkpoint
from avdet.checkpoints.weights import LoadReport, settings_that_differ
from avdet.engine.resume_check import require_resumable
from avdet.engine.run_dir import RunDir
from avdet.models.action_model import ActionModel
from avdet.settings import ModelConfig

__all__ = ["load_pretrained", "load_training_state"]


def load_pretrained(
    model: ActionModel, path: Path, settings: ModelConfig, class_names: Mapping[int, str]
) -> LoadReport:
    """Loads a checkpoint of avdet or another code base as `load_weights` does, and notes settings that differ.

    settings: of `model`. Heads of several class sets (EPIC) are loaded only if all class names are equal.
    """
    checkpoint = load_any_checkpoint(path, needs_settings=False)
    names: Mapping[int, str] | None = class_names
    if len(model.head.classifier.linear) > 1:
        names = None
        if dict(checkpoint.class_names) != dict(class_names):
            trunk = {name: x for name, x in checkpoint.model_state.items() if not name.startswith("head.")}
            checkpoint = replace(checkpoint, model_state=trunk)
    report = load_weights(model, checkpoint, names)
    differences = settings_that_differ(checkpoint.config.get("model", {}), settings.model_dump())
    return replace(report, notes=(*report.notes, *differences))


def load_training_state(
    run: RunDir,
    model: ActionModel,
    settings: Mapping[str, Any],
    class_names: Mapping[int, str],
    version: Mapping[str, Any],
) -> dict[str, Any]:
    """Loads the weights of a run's last.pt into `model`, and returns the training state saved with them.

    settings, class_names, version: see `require_resumable`. Raises ValueError if the run cannot resume: another model,
    other classes or data, or a checkpoint without training state.
    """
    checkpoint = load_newest(run.last)
    state = checkpoint.training_state
    if state is None:
        raise ValueError(
            f"{run.last} holds only weights, as best.pt does, and no training state; resume from the run's own last.pt"
        )
    if not {"buffers", "iterations_per_epoch"} <= state.keys():
        raise ValueError(
            f"{run.path} was written by an older version of avdet; resume it with that version, or start a new run "
            "with model.weights"
        )
    require_resumable(run.path, checkpoint, settings, class_names, version)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if shapes != {name: tensor.shape for name, tensor in checkpoint.model_state.items()}:
        raise ValueError(
            f"{run.path} was trained with another model; resume with the same settings, or start a "
            "new run with model.weights"
        )
    model.load_state_dict(checkpoint.model_state)
    return state
