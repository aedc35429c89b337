"""Detections of a batch of clips by any network that scores its boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from avdet.structures import ClipBatch, Detections

__all__ = ["Predicts", "average_views", "detect"]


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


def average_views(detections: Iterable[Detections]) -> list[Detections]:
    """One Detections per keyframe: the mean scores of its views, all of which have the same persons."""
    views: dict[tuple[str, float], list[Detections]] = {}
    for one in detections:
        views.setdefault((one.video, one.time_s), []).append(one)
    return [replace(same[0], scores=torch.stack([one.scores for one in same]).mean(dim=0)) for same in views.values()]
