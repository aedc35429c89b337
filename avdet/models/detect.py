"""Detections of a batch of clips by any network that scores its boxes."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from avdet.structures import ClipBatch, Detections

__all__ = ["Predicts", "detect"]


class Predicts(Protocol):
    """A detector's network: an ActionModel, or one that another framework runs."""

    def eval(self) -> object: ...

    def predict(self, batch: ClipBatch) -> Tensor: ...


@torch.inference_mode()
def detect(model: Predicts, batch: ClipBatch, device: torch.device) -> list[Detections]:
    """One Detections per clip of the batch. The model is in evaluation mode."""
    scores = model.predict(batch.to(device)).float().cpu()
    scores_of_clips = scores.split([len(people) for people in batch.people])
    return [
        Detections(video, time_s, people, scores)
        for (video, time_s), people, scores in zip(batch.clips, batch.people, scores_of_clips, strict=True)
    ]
