"""Joins rows to the boxes that share a key with them, such as the keyframe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.grouping import place_in_run
from ava_eval.iou import paired_iou
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
ROWS_AT_ONCE = 1 << 20


class Boxes:
    """Boxes by key, to look up again and again."""

    def __init__(self, keys: IntArray) -> None:
        self._by_key = np.argsort(keys, kind="stable")
        groups, self._sizes = np.unique(keys, return_counts=True)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._index = pd.Index(groups)

    def sharing(self, keys: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Places in `keys` that have boxes, how many each has, and the boxes one after another.

        Boxes of a key stay in the order they were given in.
        """
        group = self._index.get_indexer(pd.Index(keys))
        place = np.flatnonzero(group >= 0)
        group = group[place]
        sizes = self._sizes[group]
        boxes = self._by_key[np.repeat(self._starts[group], sizes) + place_in_run(sizes)]
        return place, sizes, boxes


def pairs_in_keyframes(selection: Selection, places: IntArray) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """(row, truth, IoU) of each of these detections with each ground-truth box of its keyframe, in parts.

    All pairs of a row are in one part.
    """
    boxes = Boxes(selection.truth.keyframe)
    for begin in range(0, len(places), ROWS_AT_ONCE):
        part = places[begin : begin + ROWS_AT_ONCE]
        place, sizes, truth = boxes.sharing(selection.rows.keyframe[part])
        row = np.repeat(part[place], sizes)
        yield row, truth, pair_iou(selection, row, truth)


def pair_iou(selection: Selection, row: IntArray, truth: IntArray) -> FloatArray:
    """IoU of detections with ground-truth boxes, in the protocol's precision."""
    boxes: npt.NDArray[Any] = selection.boxes_of(row)
    others: npt.NDArray[Any] = selection.truth.boxes[truth]
    if selection.protocol.single_precision:
        boxes, others = boxes.astype(np.float32), others.astype(np.float32)
    return paired_iou(boxes, others)
