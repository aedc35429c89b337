"""Metrics of classification benchmarks. Scores are (N, C), labels (N,) class indices or (N, C) multi-hot."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

__all__ = [
    "Metrics",
    "average_precision",
    "class_accuracy",
    "metrics_table",
    "precision_and_recall",
    "rank_classes",
    "top_k",
]

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]
MAX_TABLE_CLASSES = 30  # longer lists of classes are in results.json only


@dataclass(frozen=True)
class Metrics:
    """The metrics of one evaluation.

    score: the main metric, called `name`, by which the best checkpoint is chosen; None if no clip has a label.
    content: all metrics, as written to JSON. text: the table for the terminal.
    """

    name: str
    score: float | None
    content: dict[str, Any]
    text: str


def metrics_table(content: Mapping[str, Any]) -> str:
    """Every number of `content` that is not in a long list of classes, one line each."""
    table = Table("metric", "value", box=box.SIMPLE)
    for name, value in _flatten(content):
        table.add_row(name, _format(value))
    text = io.StringIO()
    Console(file=text, width=100).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def _flatten(content: Mapping[str, Any], path: Sequence[str] = ()) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            rows += [] if len(value) > MAX_TABLE_CLASSES else _flatten(value, (*path, name))
        else:
            rows.append((" ".join((*path, name)).replace("_", " "), value))
    return rows


def _format(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def rank_classes(scores: Scores) -> Labels:
    """(N, C) class indices by descending score; equal scores keep the order of the classes."""
    return np.argsort(-scores, axis=1, kind="stable")


def top_k(scores: Scores, labels: Labels, k: int) -> float | None:
    """Fraction of clips whose class is among the k best, with k = min(k, C); None without clips."""
    if not len(labels):
        return None
    return float((rank_classes(scores)[:, :k] == labels[:, None]).any(axis=1).mean())


def class_accuracy(scores: Scores, labels: Labels) -> float | None:
    """Mean top-1 accuracy over the classes that occur; None without clips."""
    if not len(labels):
        return None
    hits = rank_classes(scores)[:, 0] == labels
    return float(np.mean([hits[labels == name].mean() for name in np.unique(labels)]))


def precision_and_recall(scores: Scores, labels: Labels, classes: Collection[int]) -> tuple[float | None, float | None]:
    """Mean precision and recall of top-1 predictions over those of `classes` that occur; None if none does.

    A class that is never predicted has precision 0, as in EPIC-Kitchens-55's many-shot metrics.
    """
    predicted = rank_classes(scores)[:, 0] if len(labels) else labels
    occurring = sorted(set(classes) & set(labels.tolist()))
    if not occurring:
        return None, None
    correct = [float(((predicted == name) & (labels == name)).sum()) for name in occurring]
    precision = [n / max(1, int((predicted == name).sum())) for n, name in zip(correct, occurring, strict=True)]
    recall = [n / int((labels == name).sum()) for n, name in zip(correct, occurring, strict=True)]
    return float(np.mean(precision)), float(np.mean(recall))


def average_precision(scores: Scores, labels: Labels) -> Scores:
    """(C,) average precision as in Charades' classification script; NaN for a class without positives.

    Videos without any class rank last for every class, as in the script, which sets their scores to -Inf. Precision is
    averaged over the positives without AVA's precision envelope; equal scores keep the order of the videos.
    """
    scores = np.where(labels.any(axis=1, keepdims=True), scores, -np.inf)
    order = np.argsort(-scores, axis=0, kind="stable")
    hits = np.take_along_axis(labels > 0, order, axis=0)
    precision = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
    with np.errstate(invalid="ignore"):
        average: Scores = (precision * hits).sum(axis=0) / hits.sum(axis=0)
    return average
