"""Where the points go: what each false alarm is, and what mAP would be were each kind mended.

After TIDE (Bolya et al., arXiv 2008.08115), for persons who do several things at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ava_eval.evaluate import mean_ap
from ava_eval.matching import first_of_largest, true_positives
from ava_eval.pairing import pairs_in_keyframes
from ava_eval.ranking import curves
from ava_eval.result import Result
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
POOR_IOU = 0.1
KINDS = ("wrong class", "poor box", "duplicate", "background", "missed")
_WRONG_CLASS, _POOR_BOX, _DUPLICATE, _BACKGROUND, _HIT = range(5)


@dataclass
class Mistakes:
    """By kind: how many there are, and mAP with that kind mended and all else as it is.

    - duplicate: on a box of its class that a detection before it has claimed. Mended: removed.
    - wrong class: on a box whose person does other things. Mended: given a class of that box that nothing
      has found, or removed if all are found.
    - poor box: overlaps a box of its class by POOR_IOU or more, not enough. Mended: moved onto it, or removed
      if it is found.
    - background: every other false alarm. Mended: removed.
    - missed: boxes that nothing found and no mended detection could find. Mended: found before all else.
    """

    counts: dict[str, int]
    mended: dict[str, float | None]


def mistakes(result: Result) -> Mistakes:
    """Sort every false alarm into one kind, in the order duplicate, wrong class, poor box, background."""
    selection = result.selection
    hit = true_positives(selection, result.nearest, result.iou)
    found = np.zeros(len(selection.truth.row), dtype=bool)
    found[result.nearest.truth[hit[result.nearest.place]]] = True
    kind, target = _kinds(result, hit, found)
    reachable = np.zeros(len(found), dtype=bool)
    reachable[target[target >= 0]] = True
    missed = ~found & ~reachable
    counts = dict(zip(KINDS, np.bincount(kind, minlength=len(KINDS)).tolist(), strict=True))
    counts["missed"] = int(missed.sum())
    mended = {name: _mended(selection, hit, kind == place, target) for place, name in enumerate(KINDS[:-1])}
    mended["missed"] = _found_first(selection, hit, missed)
    return Mistakes(counts, mended)


def _kinds(result: Result, hit: BoolArray, found: BoolArray) -> tuple[npt.NDArray[np.int8], IntArray]:
    """(N,) place in KINDS of each false alarm, _HIT for hits; and the box it would find if mended, or -1."""
    selection, nearest = result.selection, result.nearest
    kind = np.where(hit, _HIT, _BACKGROUND).astype(np.int8)
    target = np.full(len(hit), -1)
    lost = ~hit[nearest.place]
    poor = lost & (nearest.iou >= POOR_IOU) & (nearest.iou < result.iou)
    kind[nearest.place[poor]] = _POOR_BOX
    free = poor & ~found[nearest.truth]
    target[nearest.place[free]] = nearest.truth[free]
    kind[nearest.place[lost & (nearest.iou >= result.iou)]] = _DUPLICATE
    suspects = np.flatnonzero((kind == _BACKGROUND) | (kind == _POOR_BOX))
    for row, truth, iou in pairs_in_keyframes(selection, suspects):
        on_box = (iou >= result.iou) & (selection.rows.class_[row] != selection.truth.class_[truth])
        kind[row[on_box]] = _WRONG_CLASS
        target[row[on_box]] = -1
        unfound = np.flatnonzero(on_box & ~found[truth])
        _, sizes = np.unique(row[unfound], return_counts=True)
        best = unfound[first_of_largest(iou[unfound], sizes)]
        target[row[best]] = truth[best]
    return kind, target


def _mended(selection: Selection, hit: BoolArray, which: BoolArray, target: IntArray) -> float | None:
    """mAP with these detections turned into hits on their targets, the best score first, or else removed."""
    rows = selection.rows
    movable = np.flatnonzero(which & (target >= 0))
    order = movable[np.lexsort((-rows.score[movable], target[movable]))]
    is_first = np.append(True, target[order][1:] != target[order][:-1])[: len(order)]
    winners = order[is_first]
    class_, now_hit = rows.class_.copy(), hit.copy()
    class_[winners] = selection.truth.class_[target[winners]]
    now_hit[winners] = True
    keep = ~which | now_hit
    return mean_ap(curves(class_[keep], selection.ranking_score[keep], now_hit[keep], selection.averaged_base))


def _found_first(selection: Selection, hit: BoolArray, missed: BoolArray) -> float | None:
    """mAP if these ground-truth boxes were found before everything else."""
    rows, classes = selection.rows, selection.truth.class_[missed]
    score = np.concatenate([selection.ranking_score, np.full(len(classes), np.inf)])
    hits = np.concatenate([hit, np.ones(len(classes), dtype=bool)])
    return mean_ap(curves(np.concatenate([rows.class_, classes]), score, hits, selection.averaged_base))
