"""More than one number: mAP by group of classes, by IoU, and by the height of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ava_eval.evaluate import class_curves, mean_ap
from ava_eval.keyframe_diagnosis import PIXEL_THRESHOLD
from ava_eval.matching import true_positives
from ava_eval.ranking import curves
from ava_eval.result import Result
from ava_eval.selection import Selection

IOUS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HEIGHTS = {"small (under 1/3)": (0.0, 1 / 3), "medium": (1 / 3, 2 / 3), "large (2/3 and up)": (2 / 3, np.inf)}


def mean_ap_by_group(result: Result, groups: Mapping[int, str]) -> dict[str, float | None]:
    """Mean over the classes of each group, by the groups of `read_label_groups`."""
    members: dict[str, list[float]] = {group: [] for group in groups.values()}
    for action_id, ap in zip(result.selection.class_ids, result.ap.values(), strict=True):
        if ap is not None and action_id in groups:
            members[groups[action_id]].append(ap)
    return {group: float(np.mean(aps)) if aps else None for group, aps in members.items()}


def mean_ap_by_iou(result: Result, ious: Sequence[float] = IOUS) -> dict[float, float | None]:
    """mAP with other thresholds for a hit."""
    selection, nearest = result.selection, result.nearest
    return {iou: mean_ap(class_curves(selection, true_positives(selection, nearest, iou))) for iou in ious}


def mean_ap_by_height(result: Result, heights: Mapping[str, tuple[float, float]] = HEIGHTS) -> dict[str, float | None]:
    """mAP on ground-truth boxes of low <= y2 - y1 < high, as fractions of the picture's height.

    Detections that fall on other ground-truth boxes, and false alarms of other heights, do not count. Of boxes in
    pixels nobody knows the share: {}.
    """
    truth = result.selection.truth
    if len(truth.boxes) and truth.boxes.max() > PIXEL_THRESHOLD:
        return {}
    height = truth.boxes[:, 3] - truth.boxes[:, 1]
    return {name: _within(result, height, low, high) for name, (low, high) in heights.items()}


def _within(result: Result, truth_height: npt.NDArray[np.float64], low: float, high: float) -> float | None:
    selection, nearest = result.selection, result.nearest
    wanted = (truth_height >= low) & (truth_height < high)
    hit = true_positives(selection, nearest, result.iou)
    height = _heights(selection)
    keep = (height >= low) & (height < high)
    on_truth = nearest.iou >= result.iou
    keep[nearest.place[on_truth]] = wanted[nearest.truth[on_truth]]
    rows = selection.rows
    base = np.bincount(selection.truth.class_[wanted], minlength=len(selection.class_names))
    return mean_ap(curves(rows.class_[keep], selection.ranking_score[keep], hit[keep], base))


def _heights(selection: Selection) -> npt.NDArray[np.float64]:
    row = selection.rows.row
    return selection.detections["y2"].to_numpy()[row] - selection.detections["y1"].to_numpy()[row]
