"""Sorts errors by type and computes mAP with each type fixed.

After TIDE (Bolya et al., arXiv 2008.08115), adapted to persons with several actions at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ava_eval.average_precision import mean_ap, precision_recall_curves
from ava_eval.grouping import first_argmax
from ava_eval.matching import keyframe_pairs, true_positives
from ava_eval.result import Draw, Result
from ava_eval.selection import Selection

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
BACKGROUND_IOU = 0.1  # false positives with less IoU are background
ERROR_TYPES = ("classification", "localization", "duplicate", "background", "missed")
_CLASSIFICATION, _LOCALIZATION, _DUPLICATE, _BACKGROUND, _TRUE_POSITIVE = range(5)


@dataclass
class ErrorAnalysis:
    """Number of errors by type, and mAP with this type fixed and all others unchanged.

    - duplicate: on a box of its class that an earlier detection matched. Fixed: removed.
    - classification: on a person with other actions. Fixed: changed to an action of that person that no detection
      found, or removed if all are found.
    - localization: IoU with a box of its class from BACKGROUND_IOU up to the threshold. Fixed: moved onto that box, or
      removed if it is found.
    - background: every other false positive. Fixed: removed.
    - missed: boxes that no detection found, before or after fixing the others. Fixed: found, with the highest score.
    """

    counts: dict[str, int]
    fixed_mean_ap: dict[str, float | None]
    # Indices into Selection.rows by type, of "missed" into Selection.truth: they depend on the order of the rows.
    rows: dict[str, IntArray] = field(compare=False)


def analyse_errors(result: Result) -> ErrorAnalysis:
    """Give each false positive one type: the first that applies of the list in `ErrorAnalysis`."""
    analyses = [_analyse(draw, result.iou) for draw in result.draws]
    fixed = {name: _mean([one.fixed_mean_ap[name] for one in analyses]) for name in analyses[0].fixed_mean_ap}
    return ErrorAnalysis(analyses[0].counts, fixed, analyses[0].rows)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _analyse(draw: Draw, iou: float) -> ErrorAnalysis:
    selection, match = draw.selection, draw.match
    is_tp = true_positives(selection, match, iou)
    is_found = np.zeros(len(selection.truth.row), dtype=bool)
    is_found[match.truth[is_tp[match.detection]]] = True
    error_type, target = _classify(draw, iou, is_tp, is_found)
    is_target = np.zeros(len(is_found), dtype=bool)
    is_target[target[target >= 0]] = True
    is_missed = ~is_found & ~is_target
    rows = {name: np.flatnonzero(error_type == index) for index, name in enumerate(ERROR_TYPES[:-1])}
    rows["missed"] = np.flatnonzero(is_missed)
    counts = {name: len(indices) for name, indices in rows.items()}
    fixed = {
        name: _fix_detections(selection, is_tp, error_type == index, target)
        for index, name in enumerate(ERROR_TYPES[:-1])
    }
    fixed["missed"] = _fix_missed(selection, is_tp, is_missed)
    return ErrorAnalysis(counts, fixed, rows)


def _classify(
    draw: Draw, min_iou: float, is_tp: BoolArray, is_found: BoolArray
) -> tuple[npt.NDArray[np.int8], IntArray]:
    """(N,) error type of each detection, and the ground-truth box that it finds once fixed, or -1."""
    selection, match = draw.selection, draw.match
    error_type = np.where(is_tp, _TRUE_POSITIVE, _BACKGROUND).astype(np.int8)
    target = np.full(len(is_tp), -1)
    is_fp = ~is_tp[match.detection]
    is_poor = is_fp & (match.iou >= BACKGROUND_IOU) & (match.iou < min_iou)
    error_type[match.detection[is_poor]] = _LOCALIZATION
    is_movable = is_poor & ~is_found[match.truth]
    target[match.detection[is_movable]] = match.truth[is_movable]
    error_type[match.detection[is_fp & (match.iou >= min_iou)]] = _DUPLICATE
    candidates = np.flatnonzero((error_type == _BACKGROUND) | (error_type == _LOCALIZATION))
    for detection, truth, iou in keyframe_pairs(selection, candidates):
        on_box = (iou >= min_iou) & (selection.rows.class_[detection] != selection.truth.class_[truth])
        error_type[detection[on_box]] = _CLASSIFICATION
        target[detection[on_box]] = -1
        unfound = np.flatnonzero(on_box & ~is_found[truth])
        _, sizes = np.unique(detection[unfound], return_counts=True)
        best = unfound[first_argmax(iou[unfound], sizes)]
        target[detection[best]] = truth[best]
    return error_type, target


def _fix_detections(selection: Selection, is_tp: BoolArray, is_error: BoolArray, target: IntArray) -> float | None:
    """mAP after each target is found by the error of highest score, and all other errors are removed."""
    rows = selection.rows
    movable = np.flatnonzero(is_error & (target >= 0))
    order = movable[np.lexsort((-rows.score[movable], target[movable]))]
    is_first = np.append(True, target[order][1:] != target[order][:-1])[: len(order)]
    fixed = order[is_first]
    class_, is_fixed_tp = rows.class_.copy(), is_tp.copy()
    class_[fixed] = selection.truth.class_[target[fixed]]
    is_fixed_tp[fixed] = True
    keep = ~is_error | is_fixed_tp
    score, positives = selection.ranking_score, selection.num_positives_averaged
    return mean_ap(precision_recall_curves(class_[keep], score[keep], is_fixed_tp[keep], positives, selection.ties))


def _fix_missed(selection: Selection, is_tp: BoolArray, is_missed: BoolArray) -> float | None:
    """mAP after all missed boxes are found with the highest score."""
    missed_class = selection.truth.class_[is_missed]
    class_ = np.concatenate([selection.rows.class_, missed_class])
    score = np.concatenate([selection.ranking_score, np.full(len(missed_class), np.inf)])
    is_tp = np.concatenate([is_tp, np.ones(len(missed_class), dtype=bool)])
    return mean_ap(precision_recall_curves(class_, score, is_tp, selection.num_positives_averaged, selection.ties))
