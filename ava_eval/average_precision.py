"""Precision-recall curves, average precision (AP) and its mean over classes (mAP)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import rank_by_class
from ava_eval.selection import Selection
from ava_eval.ties import EXPECTED, TieRule, num_orders, true_positive_ranks

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass
class Curve:
    """Precision and recall at each distinct score, descending, and the area under the precision envelope (AP).

    `ap` is the mean of `ap_by_order`, the AP of each order of tied detections that counts.
    """

    score: FloatArray
    precision: FloatArray
    recall: FloatArray
    ap: float
    ap_by_order: FloatArray


def precision_recall_curves(
    class_: IntArray,
    score: npt.NDArray[Any],
    is_tp: BoolArray,
    num_positives: IntArray,
    ties: TieRule = EXPECTED,
    *,
    trapezoid: bool = False,
) -> list[Curve | None]:
    """One curve per class; None for a class with `num_positives` 0.

    `trapezoid`: AP is the area under the straight lines between the precisions of all detections, not their envelope.

    Except with ties in the order of the file, the result does not depend on the order of the rows.
    """
    orders = ties.orders or num_orders(len(class_))
    by_class = rank_by_class(class_, score, len(num_positives))
    curves: list[Curve | None] = []
    for index, (rows, positives) in enumerate(zip(by_class, num_positives.tolist(), strict=True)):
        if positives:
            ranked_score, ranked_tp = score[rows], is_tp[rows]
            ranks = true_positive_ranks(ranked_score, ranked_tp, ties.name, orders, ties.rng(index))
            ap = _trapezoid_area(ranks, positives) if trapezoid else _average_precision(ranks, positives)
            curves.append(_curve(ranked_score, ranked_tp, positives, ap))
        else:
            curves.append(None)
    return curves


def _curve(score: npt.NDArray[Any], is_tp: BoolArray, num_positives: int, ap: FloatArray) -> Curve:
    last_of_score = np.flatnonzero(np.append(score[1:] != score[:-1], True)[: len(score)])
    num_tp = np.cumsum(is_tp, dtype=np.int64)[last_of_score]
    precision, recall = num_tp / (last_of_score + 1), num_tp / num_positives
    return Curve(score[last_of_score].astype(np.float64), precision, recall, float(np.mean(ap)), ap)


def _average_precision(ranks: IntArray, num_positives: int) -> FloatArray:
    """(orders,) AP of (orders, true positives) ascending ranks of the true positives.

    Divided last: rounding cannot lift AP above 1, and further false positives do not change it.
    """
    precision = np.arange(1, ranks.shape[1] + 1) / ranks
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)
    return np.sum(envelope, axis=1) / num_positives


def _trapezoid_area(ranks: IntArray, num_positives: int) -> FloatArray:
    """As `_average_precision`: at each true positive, the mean precision with and without it; 1 without detections."""
    num_tp = np.arange(ranks.shape[1])
    before = np.where(ranks > 1, num_tp / np.maximum(ranks - 1, 1), 1.0)
    return np.sum((num_tp + 1) / ranks + before, axis=1) / (2 * num_positives)


def class_curves(selection: Selection, is_tp: BoolArray) -> list[Curve | None]:
    """The curve of each class, None for classes that the protocol leaves out of the mean."""
    rows = selection.rows
    positives = selection.num_positives_averaged
    return precision_recall_curves(rows.class_, selection.ranking_score, is_tp, positives, selection.ties)


def mean_ap(curves: Sequence[Curve | None]) -> float | None:
    """Mean of the curves' AP; None if there is no curve."""
    aps = [curve.ap for curve in curves if curve is not None]
    return float(np.mean(aps)) if aps else None


def mean_ap_by_order(curves: Sequence[Curve | None]) -> FloatArray:
    """(orders,) mAP of each order of tied detections; empty if there is no curve."""
    aps = [curve.ap_by_order for curve in curves if curve is not None]
    return np.mean(np.broadcast_arrays(*aps), axis=0) if aps else np.zeros(0)
