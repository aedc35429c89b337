"""Features: the vectors that enter a model's classifier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from avdet.models.action_model import ActionModel
from avdet.models.detect import Predicts
from avdet.structures import ClipBatch

__all__ = ["pooled_vectors", "record_features"]


@contextmanager
def record_features(model: Predicts) -> Iterator[list[Tensor]]:
    """Records the classifier's input of every prediction in the block: (N, D) float32 on the CPU, one row per box.

    Raises ValueError for a network whose layers are not accessible, such as an ONNX file.

    >>> with record_features(model) as features:
    ...     detections = detect(model, batch, device)
    """
    if not isinstance(model, ActionModel):
        raise ValueError("this model gives no features; use ActionDetector.from_checkpoint")
    features: list[Tensor] = []
    handle = model.head.classifier.register_forward_pre_hook(lambda _, args: features.append(args[0].float().cpu()))
    try:
        yield features
    finally:
        handle.remove()


@torch.inference_mode()
def pooled_vectors(model: ActionModel, batch: ClipBatch) -> Tensor:
    """(B, D) float32: the mean of each pathway's last features over space and time; Slow, Fast, Audio concatenated.

    Zeros for the audio of a clip without audio.
    """
    features = model.backbone(batch.frames, model.audio_state(batch))
    visual = [pathway.float().mean(dim=(2, 3, 4)) for pathway in features.visual]
    return torch.cat([*visual, features.audio.pool(len(batch), model.head.dim_audio).float()], dim=1)
