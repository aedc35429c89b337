"""Pairs detections with ground-truth boxes of the same keyframe and class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import order_by
from ava_eval.pairing import ROWS_AT_ONCE, Boxes, pair_iou
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass
class Nearest:
    """(M,) detections whose keyframe holds ground truth of their class, with the box each overlaps most."""

    place: IntArray  # in Selection.rows, rising
    truth: IntArray  # in Selection.truth
    iou: FloatArray


def nearest_truth(selection: Selection) -> Nearest:
    """Each detection goes to the box it overlaps most, the first of equals, and only there."""
    parts = list(_nearest_by_part(selection))
    return Nearest(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _nearest_by_part(selection: Selection) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    classes = len(selection.class_names)
    truth, rows = selection.truth, selection.rows
    boxes = Boxes(truth.keyframe * classes + truth.class_)
    for begin in range(0, len(rows.row) or 1, ROWS_AT_ONCE):
        part = slice(begin, begin + ROWS_AT_ONCE)
        place, sizes, truths = boxes.sharing(rows.keyframe[part] * classes + rows.class_[part])
        place = place + begin
        iou = pair_iou(selection, np.repeat(place, sizes), truths)
        best = first_of_largest(iou, sizes)
        yield place, truths[best], iou[best]


def first_of_largest(values: FloatArray, run_lengths: IntArray) -> IntArray:
    """Place of the first largest value of each run."""
    if len(run_lengths) == 0:
        return np.zeros(0, dtype=np.int64)
    starts = np.cumsum(run_lengths) - run_lengths
    largest = np.repeat(np.maximum.reduceat(values, starts), run_lengths)
    candidates = np.where(values == largest, np.arange(len(values)), len(values))
    return np.minimum.reduceat(candidates, starts)


def true_positives(selection: Selection, nearest: Nearest, iou: float) -> npt.NDArray[np.bool_]:
    """(N,) which of `selection.rows` are the first to claim a box they overlap by `iou` or more.

    First is the highest score, or the file's first row, as the protocol has it. Among equal scores it does
    not matter: the pair of one hit and one false alarm at that score is the same.
    """
    near = np.flatnonzero(nearest.iou >= iou)
    place, truth = nearest.place[near], nearest.truth[near]
    if selection.protocol.matches_by_score:
        order = np.lexsort((-selection.rows.score[place], truth))
    else:
        order = order_by(truth)
    place, truth = place[order], truth[order]
    is_first = np.ones(len(truth), dtype=bool)
    is_first[1:] = truth[1:] != truth[:-1]
    hits = np.zeros(len(selection.rows.row), dtype=bool)
    hits[place[is_first]] = True
    return hits
