"""A model's scores, handed back clip by clip with the people they belong to."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from avdet.structures import ClipBatch, Detections

__all__ = ["Predicts", "detect"]


class Predicts(Protocol):
    def eval(self) -> object: ...

    def predict(self, batch: ClipBatch) -> Tensor: ...


@torch.inference_mode()
def detect(model: Predicts, batch: ClipBatch, device: torch.device) -> list[Detections]:
    """One Detections a clip of the batch; the model is in evaluation mode."""
    scores = model.predict(batch.to(device)).float().cpu()
    parts = scores.split([len(people) for people in batch.people])
    return [
        Detections(video, time_s, people, part)
        for (video, time_s), people, part in zip(batch.clips, batch.people, parts, strict=True)
    ]
