"""Counts which classes are predicted for which other classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import rank_by_class
from ava_eval.matching import keyframe_pairs, true_positives
from ava_eval.result import Result
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]


@dataclass
class Confusion:
    """`first_for_second` persons of the second class were predicted as the first, and vice versa."""

    first: str
    second: str
    first_for_second: int
    second_for_first: int


def confusions(result: Result, max_pairs: int = 15) -> list[Confusion]:
    """The most frequently confused pairs of classes, in descending order; see `confusion_matrix`."""
    counts = confusion_matrix(result)
    both = np.triu(counts + counts.T, k=1)
    names = result.selection.class_names
    order = np.argsort(-both, axis=None, kind="stable")[:max_pairs]
    pairs = [divmod(int(cell), len(names)) for cell in order]
    return [Confusion(names[a], names[b], int(counts[a, b]), int(counts[b, a])) for a, b in pairs if both[a, b]]


def confusion_matrix(result: Result) -> IntArray:
    """(predicted class, true class) number of false positives on persons of another class.

    Only the top n detections of each class count, where n is its number of ground-truth boxes. A false positive among
    them is a confusion if it overlaps a person whose true class none of the top detections found.
    """
    selection, match = result.selection, result.match
    rows, truth = selection.rows, selection.truth
    is_tp = true_positives(selection, match, result.iou)
    is_top = _top_detections(selection)
    is_found = np.zeros(len(truth.row), dtype=bool)
    is_found[match.truth[(is_tp & is_top)[match.detection]]] = True
    is_false_positive = is_top & ~is_tp
    is_false_positive[match.detection[match.iou >= result.iou]] = False  # duplicates have the right class
    num_classes = len(selection.class_names)
    counts = np.zeros(num_classes * num_classes, dtype=np.int64)
    for detection, box, iou in keyframe_pairs(selection, np.flatnonzero(is_false_positive)):
        is_confused = (iou >= result.iou) & ~is_found[box]
        cell = rows.class_[detection[is_confused]] * num_classes + truth.class_[box[is_confused]]
        counts += np.bincount(cell, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes)


def _top_detections(selection: Selection) -> npt.NDArray[np.bool_]:
    """(N,) mask of the highest scores of each class, as many as it has ground-truth boxes.

    Of equal scores at the limit, those of the first videos, times and boxes are taken.
    """
    rows = selection.rows
    is_top = np.zeros(len(rows.row), dtype=bool)
    by_class = rank_by_class(rows.class_, rows.score, len(selection.class_names))
    for indices, count in zip(by_class, selection.num_positives.tolist(), strict=True):
        top = indices[:count]
        if 0 < count < len(indices) and selection.ties.name != "file":
            score = rows.score[indices]
            above, tied = indices[score > score[count - 1]], indices[score == score[count - 1]]
            number = selection.keyframes.sorted_numbers()[rows.keyframe[tied]]
            tied = tied[np.lexsort((*selection.boxes_of(tied).T, number))]
            top = np.concatenate([above, tied[: count - len(above)]])
        is_top[top] = True
    return is_top
