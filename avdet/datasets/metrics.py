"""What classification benchmarks count. Scores are (N, C), labels (N,) class indices or (N, C) 0 and 1."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

__all__ = ["charades_ap", "class_accuracy", "precision_and_recall", "ranked", "top_k"]

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]


def ranked(scores: Scores) -> Labels:
    """(N, C) classes, the best first; of equal scores the earlier class."""
    return np.argsort(-scores, axis=1, kind="stable")


def top_k(scores: Scores, labels: Labels, k: int) -> float | None:
    """The share of clips whose class is among the k best (all of them where there are fewer); None without clips."""
    if not len(labels):
        return None
    return float((ranked(scores)[:, :k] == labels[:, None]).any(axis=1).mean())


def class_accuracy(scores: Scores, labels: Labels) -> float | None:
    """The mean over the classes that occur of each one's top-1 accuracy; None without clips."""
    if not len(labels):
        return None
    hits = ranked(scores)[:, 0] == labels
    return float(np.mean([hits[labels == name].mean() for name in np.unique(labels)]))


def precision_and_recall(scores: Scores, labels: Labels, classes: Collection[int]) -> tuple[float | None, float | None]:
    """Means over those of `classes` that occur: of what was called so, and of what was so, the right share.

    A class that nothing is called has precision 0, as in EPIC-Kitchens-55's many-shot measures.
    """
    called = ranked(scores)[:, 0] if len(labels) else labels
    occurring = sorted(set(classes) & set(labels.tolist()))
    if not occurring:
        return None, None
    right = [float(((called == name) & (labels == name)).sum()) for name in occurring]
    precision = [hits / max(1, int((called == name).sum())) for hits, name in zip(right, occurring, strict=True)]
    recall = [hits / int((labels == name).sum()) for hits, name in zip(right, occurring, strict=True)]
    return float(np.mean(precision)), float(np.mean(recall))


def charades_ap(scores: Scores, labels: Labels) -> Scores:
    """(C,) average precision as Charades' classification script has it; nan for a class that no video has.

    Videos without any class come last for every class, whatever their scores (the script sets these to minus
    infinity): they count as videos, and never before a labelled one. Precision is averaged over the positives
    as it stands at each, without the envelope of AVA's protocol; equal scores keep the videos' order.
    """
    scores = np.where(labels.any(axis=1, keepdims=True), scores, -np.inf)
    order = np.argsort(-scores, axis=0, kind="stable")
    hits = np.take_along_axis(labels > 0, order, axis=0)
    precision = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
    with np.errstate(invalid="ignore"):
        average: Scores = (precision * hits).sum(axis=0) / hits.sum(axis=0)
    return average
