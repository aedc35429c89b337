"""Pairs of classes that are mistaken for one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import ranked
from ava_eval.matching import true_positives
from ava_eval.pairing import pairs_in_keyframes
from ava_eval.result import Result

IntArray = npt.NDArray[np.int64]


@dataclass
class Confusion:
    """`first_for_second` persons doing the second were called the first, and the other way round."""

    first: str
    second: str
    first_for_second: int
    second_for_first: int


def confusions(result: Result, most: int = 15) -> list[Confusion]:
    """The pairs most often mistaken, falling.

    Only the best scores of each class are looked at, as many as it has ground-truth boxes. One mistake is a false
    alarm among them that lies on a person whose true class no detection among them found.
    """
    counts = confusion_matrix(result)
    both = np.triu(counts + counts.T, k=1)
    names = result.selection.class_names
    order = np.argsort(-both, axis=None, kind="stable")[:most]
    pairs = [divmod(int(cell), len(names)) for cell in order]
    return [Confusion(names[a], names[b], int(counts[a, b]), int(counts[b, a])) for a, b in pairs if both[a, b]]


def confusion_matrix(result: Result) -> IntArray:
    """(classes, classes) persons of the column's class called by the row's."""
    selection, nearest = result.selection, result.nearest
    rows, truth = selection.rows, selection.truth
    hit = true_positives(selection, nearest, result.iou)
    top = _top(rows.class_, rows.score, selection.recall_base)
    found = np.zeros(len(truth.row), dtype=bool)
    found[nearest.truth[(hit & top)[nearest.place]]] = True
    false_alarm = top & ~hit
    false_alarm[nearest.place[nearest.iou >= result.iou]] = False  # duplicates have the right class
    classes = len(selection.class_names)
    counts = np.zeros(classes * classes, dtype=np.int64)
    for row, box, iou in pairs_in_keyframes(selection, np.flatnonzero(false_alarm)):
        mistaken = (iou >= result.iou) & ~found[box]
        cell = rows.class_[row[mistaken]] * classes + truth.class_[box[mistaken]]
        counts += np.bincount(cell, minlength=classes * classes)
    return counts.reshape(classes, classes)


def _top(class_: IntArray, score: npt.NDArray[np.float64], base: IntArray) -> npt.NDArray[np.bool_]:
    """(N,) whether a row is among the `base` best of its class."""
    top = np.zeros(len(score), dtype=bool)
    for rows, boxes in zip(ranked(class_, score, len(base)), base.tolist(), strict=True):
        top[rows[:boxes]] = True
    return top
