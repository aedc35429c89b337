"""Precision-recall curves, average precision (AP) and its mean over classes (mAP)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import rank_by_class
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass
class Curve:
    """Precision and recall at each distinct score, descending, and the area under the precision envelope (AP)."""

    score: FloatArray
    precision: FloatArray
    recall: FloatArray
    ap: float


def precision_recall_curves(
    class_: IntArray, score: npt.NDArray[Any], is_tp: BoolArray, num_positives: IntArray
) -> list[Curve | None]:
    """One curve per class; None for a class with `num_positives` 0.

    Detections of equal score enter the curve at once, because no threshold separates them: the result does not
    depend on their order. AP equals that of any order in which the false positives come first.
    """
    return [
        _curve(score[rows], is_tp[rows], int(positives)) if positives else None
        for rows, positives in zip(rank_by_class(class_, score, len(num_positives)), num_positives, strict=True)
    ]


def _curve(score: npt.NDArray[Any], is_tp: BoolArray, num_positives: int) -> Curve:
    last_of_score = np.flatnonzero(np.append(score[1:] != score[:-1], True)[: len(score)])
    num_tp = np.cumsum(is_tp, dtype=np.int64)[last_of_score]
    precision, recall = num_tp / (last_of_score + 1), num_tp / num_positives
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # Integer weights, divided last: rounding cannot lift AP above 1, and further false positives do not change it.
    gained = np.diff(num_tp, prepend=0)
    ap = float(np.sum((gained * envelope)[gained > 0])) / num_positives
    return Curve(score[last_of_score].astype(np.float64), precision, recall, ap)


def class_curves(selection: Selection, is_tp: BoolArray) -> list[Curve | None]:
    """The curve of each class, None for classes that the protocol leaves out of the mean."""
    rows = selection.rows
    return precision_recall_curves(rows.class_, selection.ranking_score, is_tp, selection.num_positives_averaged)


def mean_ap(curves: Sequence[Curve | None]) -> float | None:
    """Mean of the curves' AP; None if there is no curve."""
    aps = [curve.ap for curve in curves if curve is not None]
    return float(np.mean(aps)) if aps else None
