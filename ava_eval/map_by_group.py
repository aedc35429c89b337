"""mAP by group of classes, by IoU threshold and by person height."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from ava_eval.average_precision import class_curves, mean_ap, precision_recall_curves
from ava_eval.csv_format import PIXEL_THRESHOLD
from ava_eval.matching import true_positives
from ava_eval.result import Draw, Result
from ava_eval.selection import Selection

IOUS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HEIGHTS = {"small (under 1/3)": (0.0, 1 / 3), "medium": (1 / 3, 2 / 3), "large (2/3 and up)": (2 / 3, np.inf)}


def mean_ap_by_group(result: Result, groups: Mapping[int, str]) -> dict[str, float | None]:
    """mAP over the classes of each group; `groups` as `read_label_groups` returns them."""
    members: dict[str, list[float]] = {group: [] for group in groups.values()}
    for action_id, ap in zip(result.selection.class_ids, result.ap.values(), strict=True):
        if ap is not None and action_id in groups:
            members[groups[action_id]].append(ap)
    return {group: float(np.mean(aps)) if aps else None for group, aps in members.items()}


def mean_ap_by_iou(result: Result, ious: Sequence[float] = IOUS) -> dict[float, float | None]:
    """mAP at each IoU threshold."""

    def measure(draw: Draw, iou: float) -> float | None:
        return mean_ap(class_curves(draw.selection, true_positives(draw.selection, draw.match, iou)))

    return {iou: result.mean_over_draws(partial(measure, iou=iou)) for iou in ious}


def mean_ap_by_height(result: Result, heights: Mapping[str, tuple[float, float]] = HEIGHTS) -> dict[str, float | None]:
    """mAP on ground-truth boxes of low <= y2 - y1 < high, as fractions of the frame's height.

    Detections on other ground-truth boxes and false positives of other heights do not count. Returns {} for boxes
    in pixels, whose fraction of the frame is unknown.
    """
    truth = result.selection.truth
    if len(truth.boxes) and truth.boxes.max() > PIXEL_THRESHOLD:
        return {}
    height = truth.boxes[:, 3] - truth.boxes[:, 1]

    def measure(draw: Draw, low: float, high: float) -> float | None:
        return _mean_ap_within(draw, result.iou, (height >= low) & (height < high), low, high)

    return {name: result.mean_over_draws(partial(measure, low=low, high=high)) for name, (low, high) in heights.items()}


def _mean_ap_within(draw: Draw, iou: float, is_within: npt.NDArray[np.bool_], low: float, high: float) -> float | None:
    selection, match = draw.selection, draw.match
    is_tp = true_positives(selection, match, iou)
    height = _detection_heights(selection)
    keep = (height >= low) & (height < high)
    on_truth = match.iou >= iou
    keep[match.detection[on_truth]] = is_within[match.truth[on_truth]]
    class_, score = selection.rows.class_, selection.ranking_score
    num_positives = np.bincount(selection.truth.class_[is_within], minlength=len(selection.class_names))
    return mean_ap(precision_recall_curves(class_[keep], score[keep], is_tp[keep], num_positives, selection.ties))


def _detection_heights(selection: Selection) -> npt.NDArray[np.float64]:
    row = selection.rows.row
    return selection.detections["y2"].to_numpy()[row] - selection.detections["y1"].to_numpy()[row]
