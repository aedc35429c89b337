"""Matches detections with ground-truth boxes by IoU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.grouping import first_argmax, index_in_run, stable_argsort
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
CHUNK_ROWS = 1 << 20


@dataclass
class Match:
    """(M,) detections whose keyframe holds ground truth of their class, each with the box of highest IoU."""

    detection: IntArray  # index into Selection.rows, ascending
    truth: IntArray  # index into Selection.truth
    iou: FloatArray


def match_detections(selection: Selection) -> Match:
    """Assign each detection the box of its keyframe and class with the highest IoU, the first if IoUs tie."""
    chunks = list(_match_chunks(selection))
    return Match(*(np.concatenate(arrays) for arrays in zip(*chunks, strict=True)))


def _match_chunks(selection: Selection) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    num_classes = len(selection.class_names)
    truth, rows = selection.truth, selection.rows
    lookup = BoxLookup(truth.keyframe * num_classes + truth.class_)
    for start in range(0, len(rows.row) or 1, CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        index, sizes, box = lookup.find(rows.keyframe[chunk] * num_classes + rows.class_[chunk])
        index = index + start
        iou = pair_iou(selection, np.repeat(index, sizes), box)
        best = first_argmax(iou, sizes)
        yield index, box[best], iou[best]


def true_positives(selection: Selection, match: Match, iou: float) -> npt.NDArray[np.bool_]:
    """(N,) mask of `selection.rows`: of the detections assigned to a box with at least this IoU, the first.

    The first is the one of highest score, in either order of equal scores: one true and the other false positives
    have that score. A protocol that matches in the file's order takes the first row with ties in the order of the
    file, and otherwise a row that any order could put first: a random one, the lowest or the highest score.
    """
    close = np.flatnonzero(match.iou >= iou)
    detection, truth = match.detection[close], match.truth[close]
    by_score, ties = selection.protocol.matches_by_score, selection.ties
    sizes = np.bincount(truth)
    sizes = sizes[sizes > 0]
    first = np.cumsum(sizes) - sizes
    if ties.name == "file":
        order = np.lexsort((-selection.rows.score[detection], truth)) if by_score else stable_argsort(truth)
        chosen = first
    else:
        order = np.lexsort((match.iou[close], selection.rows.score[detection], truth))
        chosen = first + sizes - 1
        if not by_score and ties.name == "worst":
            chosen = first
        elif not by_score and ties.name == "expected":
            place = ties.places(len(selection.truth.row))[truth[order[first]]]
            chosen = first + (place * sizes).astype(np.int64)
    is_tp = np.zeros(len(selection.rows.row), dtype=bool)
    is_tp[detection[order[chosen]]] = True
    return is_tp


def greedy_true_positives(
    detection: IntArray, truth: IntArray, iou: FloatArray, rank: npt.NDArray[Any], threshold: float
) -> npt.NDArray[np.bool_]:
    """(detections,) mask of those that get a truth, from pairs of at least the IoU `threshold`.

    In ascending order of `rank`, each detection takes the free truth of highest IoU among its pairs. Of equal ranks,
    the pair of higher IoU comes first.
    """
    is_tp = np.zeros(len(rank), dtype=bool)
    matched: set[int] = set()
    close = np.flatnonzero(iou >= threshold)
    order = close[np.lexsort((-iou[close], rank[detection[close]]))]
    for row, true_row in zip(detection[order].tolist(), truth[order].tolist(), strict=True):
        if not is_tp[row] and true_row not in matched:
            is_tp[row] = True
            matched.add(true_row)
    return is_tp


def is_matching_open(selection: Selection, match: Match) -> bool:
    """Whether the order of the rows can decide which of several detections a box is matched with."""
    if selection.protocol.matches_by_score or selection.ties.name != "expected":
        return False
    return bool(np.any(np.bincount(match.truth[match.iou > 0]) > 1))


class BoxLookup:
    """Finds boxes by an integer key, such as the keyframe."""

    def __init__(self, keys: IntArray) -> None:
        self._by_key = np.argsort(keys, kind="stable")
        groups, self._sizes = np.unique(keys, return_counts=True)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._groups = pd.Index(groups)

    def find(self, keys: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Indices of the keys that have boxes, the number of boxes of each, and these boxes, concatenated.

        Boxes of one key stay in their original order.
        """
        group = self._groups.get_indexer(pd.Index(keys))
        index = np.flatnonzero(group >= 0)
        group = group[index]
        sizes = self._sizes[group]
        boxes = self._by_key[np.repeat(self._starts[group], sizes) + index_in_run(sizes)]
        return index, sizes, boxes


def keyframe_pairs(selection: Selection, detections: IntArray) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield chunks of (detection, truth, IoU): these detections with every ground-truth box of their keyframe.

    All pairs of a detection are in one chunk, next to each other.
    """
    lookup = BoxLookup(selection.truth.keyframe)
    for start in range(0, len(detections), CHUNK_ROWS):
        chunk = detections[start : start + CHUNK_ROWS]
        index, sizes, truth = lookup.find(selection.rows.keyframe[chunk])
        detection = np.repeat(chunk[index], sizes)
        yield detection, truth, pair_iou(selection, detection, truth)


def pair_iou(selection: Selection, detection: IntArray, truth: IntArray) -> FloatArray:
    """IoU of detections with ground-truth boxes, in the protocol's precision."""
    boxes: npt.NDArray[Any] = selection.boxes_of(detection)
    others: npt.NDArray[Any] = selection.truth.boxes[truth]
    if selection.protocol.single_precision:
        boxes, others = boxes.astype(np.float32), others.astype(np.float32)
    return paired_iou(boxes, others)


def paired_iou(boxes: npt.NDArray[Any], others: npt.NDArray[Any]) -> FloatArray:
    """(N,) IoU of boxes[i] with others[i], both (N, 4) x1 y1 x2 y2; 0 if both have no area.

    For float32 boxes, sides and areas are float32 and intersections float64, as in MMAction2: the rounding decides
    on which side of the threshold a pair falls.
    """
    x1, y1, x2, y2 = boxes.T
    u1, v1, u2, v2 = others.T
    height = np.maximum(0.0, np.minimum(y2, v2) - np.maximum(y1, v1), dtype=np.float64)
    width = np.maximum(0.0, np.minimum(x2, u2) - np.maximum(x1, u1), dtype=np.float64)
    intersection = height * width
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - intersection
    return np.divide(intersection, union, out=np.zeros(len(intersection)), where=union > 0)
