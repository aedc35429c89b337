"""Video mAP of tubes. A tube is the boxes of one person and one action over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.average_precision import mean_ap, precision_recall_curves
from ava_eval.csv_format import BOX_COLUMNS, DETECTIONS, EXCLUDED, GROUND_TRUTH, FormatError, Layout
from ava_eval.label_map import check_label_map
from ava_eval.matching import BoxLookup, greedy_true_positives, pair_iou
from ava_eval.protocols import Protocol
from ava_eval.result import percent
from ava_eval.selection import Selection, select
from ava_eval.tables import check_ids, check_table
from ava_eval.ties import TieRule, Ties

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
TUBE_IOUS = (0.2, 0.5)

_PROTOCOL = Protocol(
    "tubes",
    "this package",
    scores_listed_keyframes=True,
    scores_detected_keyframes=False,
    max_detections=None,
    uses_excluded=True,
    counts_excluded_boxes=False,
    matches_by_score=True,
    drops_empty_boxes=True,
    averages_undetected=True,
    single_precision=False,
)


@dataclass
class TubeResult:
    """Video mAP by IoU, and video AP by IoU and class, None for a class without ground-truth tubes."""

    mean_ap: dict[float, float | None]
    ap: dict[float, dict[str, float | None]]
    counts: dict[str, int]


@dataclass
class _Tubes:
    of_box: IntArray  # (boxes,) tube of each selected box
    class_: IntArray  # (tubes,)
    length: IntArray  # (tubes,) number of keyframes


def evaluate_tubes(
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    label_map: Mapping[int, str],
    *,
    excluded: pd.DataFrame | None = None,
    ious: Sequence[float] = TUBE_IOUS,
    ties: Ties = "expected",
) -> TubeResult:
    """Compute video mAP. A tube is all rows of one video, person_id and action_id; its score is their mean score.

    The IoU of two tubes is the mean IoU of their boxes over the keyframes of either, 0 where one has no box (temporal
    IoU times mean spatial IoU). In order of descending score, each tube is matched with the free ground-truth tube
    of highest IoU, if it reaches the threshold. Detections on keyframes that the ground truth does not list, rows
    without a person_id, and all but the best row of a tube on one keyframe are left out. `ties` is the rule for tubes
    of equal score, as in `evaluate`.
    """
    check_label_map(label_map)
    ground_truth, detections = check_table(ground_truth, GROUND_TRUTH), check_table(detections, DETECTIONS)
    excluded = None if excluded is None else check_table(excluded, EXCLUDED)
    check_ids(ground_truth, detections, label_map)
    rule = TieRule(ties)
    truth_table = _unique_boxes(ground_truth.assign(score=1.0), GROUND_TRUTH)
    table = _unique_boxes(detections, DETECTIONS)
    selection = select(_PROTOCOL, label_map, truth_table, table, excluded, rule)
    truth = _tubes(selection, selection.truth.keyframe, selection.truth.class_, truth_table, selection.truth.row)
    detected = _tubes(selection, selection.rows.keyframe, selection.rows.class_, table, selection.rows.row)
    score = np.bincount(detected.of_box, selection.rows.score) / detected.length
    num_positives = np.bincount(truth.class_, minlength=len(label_map))
    pairs = _tube_ious(selection, detected, truth)
    by_iou = {
        iou: precision_recall_curves(
            detected.class_, score, greedy_true_positives(*pairs, -score, iou), num_positives, rule
        )
        for iou in ious
    }
    names = list(label_map.values())
    return TubeResult(
        {iou: mean_ap(curves) for iou, curves in by_iou.items()},
        {
            iou: {name: curve.ap if curve else None for name, curve in zip(names, curves, strict=True)}
            for iou, curves in by_iou.items()
        },
        {
            "classes_averaged": int(np.sum(num_positives > 0)),
            "ground_truth_tubes": len(truth.class_),
            "detection_tubes": len(detected.class_),
            "dropped_without_person_or_repeated": len(detections) - len(table),
        },
    )


def _unique_boxes(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """The row of highest score of each (video, timestamp, person_id, action_id), and rows of keyframes alone."""
    person = table["person_id"].to_numpy() if "person_id" in table else np.full(len(table), -1)
    has_action = table["action_id"].to_numpy() != 0
    if has_action.any() and not (person[has_action] >= 0).any():
        raise FormatError(
            f"tubes need person ids, but the {layout.kind} has no person_id;"
            f" write it as column {len(layout.columns)} of each row."
        )
    kept = table[(person >= 0) | ~has_action]
    kept = kept.sort_values(["score", *BOX_COLUMNS], ascending=False, kind="stable")
    return kept.drop_duplicates(["video", "timestamp", "person_id", "action_id"], ignore_index=True)


def _tubes(selection: Selection, keyframe: IntArray, class_: IntArray, table: pd.DataFrame, row: IntArray) -> _Tubes:
    num_classes = len(selection.class_names)
    video_class = selection.keyframes.video[keyframe] * num_classes + class_
    key = np.stack([video_class, table["person_id"].to_numpy()[row]], axis=1)
    keys, of_box = np.unique(key, axis=0, return_inverse=True)
    of_box = of_box.reshape(-1)
    return _Tubes(of_box, keys[:, 0] % num_classes, np.bincount(of_box, minlength=len(keys)))


def _tube_ious(selection: Selection, detected: _Tubes, truth: _Tubes) -> tuple[IntArray, IntArray, FloatArray]:
    """(detected tube, true tube, IoU) of all tubes of one class that share a keyframe."""
    num_classes = len(selection.class_names)
    lookup = BoxLookup(selection.truth.keyframe * num_classes + selection.truth.class_)
    index, sizes, box = lookup.find(selection.rows.keyframe * num_classes + selection.rows.class_)
    detection = np.repeat(index, sizes)
    pair = detected.of_box[detection] * max(1, len(truth.class_)) + truth.of_box[box]
    pairs, of_box = np.unique(pair, return_inverse=True)
    num_shared = np.bincount(of_box, minlength=len(pairs))
    iou_sum = np.bincount(of_box, pair_iou(selection, detection, box), minlength=len(pairs))
    tube, true_tube = np.divmod(pairs, max(1, len(truth.class_)))
    return tube, true_tube, iou_sum / (detected.length[tube] + truth.length[true_tube] - num_shared)


def tube_table(result: TubeResult) -> str:
    """Video AP by class with one column per IoU, and the counts, as text."""
    ious = list(result.ap)
    names = list(result.ap[ious[0]])
    width = max(len(name) for name in ("class", "mean", *names))
    lines = [f"{'class':<{width}}" + "".join(f"  IoU {iou:.2f}" for iou in ious)]
    lines += [f"{name:<{width}}" + "".join(f"  {percent(result.ap[iou][name]):>8}" for iou in ious) for name in names]
    lines.append(f"{'mean':<{width}}" + "".join(f"  {percent(result.mean_ap[iou]):>8}" for iou in ious))
    counts = result.counts
    summary = (
        f"tubes: {counts['ground_truth_tubes']:,} in the ground truth, {counts['detection_tubes']:,} detected;"
        f" {counts['classes_averaged']} classes averaged;"
        f" dropped: {counts['dropped_without_person_or_repeated']:,} detections without person_id or repeated"
    )
    return "\n".join([*lines, "", summary])
