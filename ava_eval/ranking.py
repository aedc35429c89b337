"""Average precision from ranked hits and false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import ranked

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass
class Curve:
    """Precision and recall after each distinct score, falling, and the area under the precision envelope."""

    score: FloatArray
    precision: FloatArray
    recall: FloatArray
    ap: float


def curves(
    class_: IntArray, score: npt.NDArray[Any], hit: npt.NDArray[np.bool_], recall_base: IntArray
) -> list[Curve | None]:
    """One curve a class; None for a class whose `recall_base` is 0.

    Detections of equal score enter together, since no threshold tells them apart: the result does not
    depend on their order. It equals the area that any order with the false alarms first would give.
    """
    return [
        _curve(score[rows], hit[rows], int(base)) if base else None
        for rows, base in zip(ranked(class_, score, len(recall_base)), recall_base, strict=True)
    ]


def _curve(score: npt.NDArray[Any], hit: npt.NDArray[np.bool_], base: int) -> Curve:
    last_of_score = np.flatnonzero(np.append(score[1:] != score[:-1], True)[: len(score)])
    hits = np.cumsum(hit, dtype=np.int64)[last_of_score]
    precision, recall = hits / (last_of_score + 1), hits / base
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # Whole numbers of hits, divided last: rounding cannot lift the sum, and further misses leave it as it is.
    gained = np.diff(hits, prepend=0)
    ap = float(np.sum((gained * envelope)[gained > 0])) / base
    return Curve(score[last_of_score].astype(np.float64), precision, recall, ap)
