"""A new model that begins with a checkpoint's weights, whatever that was trained for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from avdet.checkpoints.checkpoint_io import Checkpoint, load_weights
from avdet.checkpoints.weights import LoadReport
from avdet.models.action_model import ActionModel

__all__ = ["load_pretrained"]


def load_pretrained(model: ActionModel, checkpoint: Checkpoint, class_names: Mapping[int, str]) -> LoadReport:
    """As `load_weights`; heads of several class sets (EPIC's verbs and nouns) are taken where all names agree."""
    if len(model.head.classifier.linear) < 2:
        return load_weights(model, checkpoint, class_names)
    if dict(checkpoint.class_names) != dict(class_names):
        trunk = {name: x for name, x in checkpoint.model_state.items() if not name.startswith("head.")}
        checkpoint = replace(checkpoint, model_state=trunk)
    return load_weights(model, checkpoint)
