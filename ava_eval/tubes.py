"""Video mAP of tubes: the boxes of one person doing one thing, through time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS, DETECTIONS, EXCLUDED, GROUND_TRUTH, FormatError, Layout
from ava_eval.evaluate import mean_ap
from ava_eval.label_map import check_label_map
from ava_eval.pairing import Boxes, pair_iou
from ava_eval.protocols import Protocol
from ava_eval.ranking import curves
from ava_eval.result import percent
from ava_eval.selection import Selection, select
from ava_eval.tables import check_ids, check_table

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
TUBE_IOUS = (0.2, 0.5)

_RULES = Protocol(
    "tubes",
    "this package",
    listed_keyframes=True,
    detected_keyframes=False,
    rows_per_keyframe=None,
    reads_excluded=True,
    counts_excluded_ground_truth=False,
    matches_by_score=True,
    drops_empty_boxes=True,
    averages_undetected=True,
    single_precision=False,
)


@dataclass
class TubeResult:
    """Video AP by IoU and class, None for a class without ground-truth tubes."""

    mean_ap: dict[float, float | None]
    ap: dict[float, dict[str, float | None]]
    counts: dict[str, int]


@dataclass
class _Tubes:
    """`of_box` numbers the tube of each selected box; the other arrays are by tube."""

    of_box: IntArray
    class_: IntArray
    keyframes: IntArray  # how many


def evaluate_tubes(
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    label_map: Mapping[int, str],
    *,
    excluded: pd.DataFrame | None = None,
    ious: Sequence[float] = TUBE_IOUS,
) -> TubeResult:
    """Video mAP. A tube is all rows of one video, person_id and action_id; its score is their mean.

    The IoU of two tubes is the mean, over the keyframes that either has, of the IoU of their boxes, 0 where one has
    none: temporal IoU times mean spatial IoU. By falling score each tube claims the unclaimed true one that it
    overlaps most, if by the threshold or more. Detections on keyframes that the ground truth does not list are
    left out, as are rows without a person_id and all but the best of a tube's rows on one keyframe.
    """
    check_label_map(label_map)
    ground_truth, detections = check_table(ground_truth, GROUND_TRUTH), check_table(detections, DETECTIONS)
    excluded = None if excluded is None else check_table(excluded, EXCLUDED)
    check_ids(ground_truth, detections, label_map)
    truths = _one_box_a_keyframe(ground_truth.assign(score=1.0), GROUND_TRUTH)
    rows = _one_box_a_keyframe(detections, DETECTIONS)
    selection = select(_RULES, label_map, truths, rows, excluded)
    truth = _tubes(selection, selection.truth.keyframe, selection.truth.class_, truths, selection.truth.row)
    found = _tubes(selection, selection.rows.keyframe, selection.rows.class_, rows, selection.rows.row)
    score = np.bincount(found.of_box, selection.rows.score) / found.keyframes
    base = np.bincount(truth.class_, minlength=len(label_map))
    overlaps = _overlaps(selection, found, truth)
    by_iou = {iou: curves(found.class_, score, _claims(*overlaps, score, iou), base) for iou in ious}
    names = list(label_map.values())
    return TubeResult(
        {iou: mean_ap(by_class) for iou, by_class in by_iou.items()},
        {
            iou: {name: curve.ap if curve else None for name, curve in zip(names, by_class, strict=True)}
            for iou, by_class in by_iou.items()
        },
        {
            "classes_averaged": int(np.sum(base > 0)),
            "ground_truth_tubes": len(truth.class_),
            "detection_tubes": len(found.class_),
            "dropped_without_person_or_repeated": len(detections) - len(rows),
        },
    )


def _one_box_a_keyframe(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Rows with a person, the best score of each (video, timestamp, person_id, action_id), and listed keyframes."""
    person = table["person_id"].to_numpy() if "person_id" in table else np.full(len(table), -1)
    acts = table["action_id"].to_numpy() != 0
    wanted = (person >= 0) | ~acts
    if acts.any() and not (person[acts] >= 0).any():
        raise FormatError(
            f"tubes need to know which boxes are one person's, but there is no person_id in the {layout.kind};"
            f" write it as column {len(layout.columns)} of each row."
        )
    kept = table[wanted].sort_values(["score", *BOX_COLUMNS], ascending=False, kind="stable")
    return kept.drop_duplicates(["video", "timestamp", "person_id", "action_id"], ignore_index=True)


def _tubes(selection: Selection, keyframe: IntArray, class_: IntArray, table: pd.DataFrame, row: IntArray) -> _Tubes:
    video_class = selection.keyframes.video[keyframe] * len(selection.class_names) + class_
    key = np.stack([video_class, table["person_id"].to_numpy()[row]], axis=1)
    keys, of_box = np.unique(key, axis=0, return_inverse=True)
    of_box = of_box.reshape(-1)
    return _Tubes(of_box, keys[:, 0] % len(selection.class_names), np.bincount(of_box, minlength=len(keys)))


def _overlaps(selection: Selection, found: _Tubes, truth: _Tubes) -> tuple[IntArray, IntArray, FloatArray]:
    """(found tube, true tube, IoU) of all tubes of one class that meet on a keyframe."""
    classes = len(selection.class_names)
    boxes = Boxes(selection.truth.keyframe * classes + selection.truth.class_)
    place, sizes, box = boxes.sharing(selection.rows.keyframe * classes + selection.rows.class_)
    row = np.repeat(place, sizes)
    pair = found.of_box[row] * max(1, len(truth.class_)) + truth.of_box[box]
    pairs, of_pair = np.unique(pair, return_inverse=True)
    shared = np.bincount(of_pair, minlength=len(pairs))
    total = np.bincount(of_pair, pair_iou(selection, row, box), minlength=len(pairs))
    tube, true_tube = np.divmod(pairs, max(1, len(truth.class_)))
    return tube, true_tube, total / (found.keyframes[tube] + truth.keyframes[true_tube] - shared)


def _claims(
    tube: IntArray, true_tube: IntArray, overlap: FloatArray, score: FloatArray, iou: float
) -> npt.NDArray[np.bool_]:
    """(found tubes,) which of them claim a true one."""
    hit = np.zeros(len(score), dtype=bool)
    claimed: set[int] = set()
    near = np.flatnonzero(overlap >= iou)
    for place in near[np.lexsort((-overlap[near], -score[tube[near]]))].tolist():
        if not hit[tube[place]] and int(true_tube[place]) not in claimed:
            hit[tube[place]] = True
            claimed.add(int(true_tube[place]))
    return hit


def tube_table(result: TubeResult) -> str:
    """Video AP by class, one column an IoU, and the counts."""
    ious = list(result.ap)
    names = list(result.ap[ious[0]])
    width = max(len(name) for name in ("class", "mean", *names))
    lines = [f"{'class':<{width}}" + "".join(f"  IoU {iou:.2f}" for iou in ious)]
    lines += [f"{name:<{width}}" + "".join(f"  {percent(result.ap[iou][name]):>8}" for iou in ious) for name in names]
    lines.append(f"{'mean':<{width}}" + "".join(f"  {percent(result.mean_ap[iou]):>8}" for iou in ious))
    counts = result.counts
    said = (
        f"tubes: {counts['ground_truth_tubes']:,} true, {counts['detection_tubes']:,} found;"
        f" {counts['classes_averaged']} classes averaged;"
        f" dropped: {counts['dropped_without_person_or_repeated']:,} detections without person_id or repeated"
    )
    return "\n".join([*lines, "", said])
