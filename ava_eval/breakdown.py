"""All analyses of one result, for `--breakdown` and `--report`, and the recall of its person boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ava_eval.bootstrap import Interval, bootstrap_mean_ap
from ava_eval.confusion import Confusion, confusions
from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.error_analysis import ErrorAnalysis, analyse_errors
from ava_eval.map_by_group import mean_ap_by_group, mean_ap_by_height, mean_ap_by_iou
from ava_eval.matching import CHUNK_ROWS, BoxLookup, paired_iou
from ava_eval.result import Result, percent


@dataclass
class BoxRecall:
    """Numbers of distinct boxes on keyframes with ground truth, and the recall (a fraction of 1) at each IoU."""

    truth_boxes: int
    detection_boxes: int
    recall: dict[float, float]


def box_recall(result: Result, ious: Sequence[float] = (0.5, 0.75, 0.9)) -> BoxRecall | None:
    """Recall of all detected boxes, regardless of class and score; None without ground truth."""
    selection = result.selection
    keyframe = selection.keyframes.add(selection.detections)
    rows = np.flatnonzero(selection.has_truth[keyframe])
    detections = selection.detections[list(BOX_COLUMNS)].iloc[rows].assign(keyframe=keyframe[rows]).drop_duplicates()
    truth_key = np.column_stack([selection.truth.keyframe, selection.truth.boxes])
    _, distinct = np.unique(truth_key, axis=0, return_index=True)
    if len(distinct) == 0:
        return None
    truth_boxes = selection.truth.boxes[distinct]
    boxes, keyframes = detections[list(BOX_COLUMNS)].to_numpy(), detections["keyframe"].to_numpy()
    lookup = BoxLookup(selection.truth.keyframe[distinct])
    best_iou = np.zeros(len(distinct))
    for start in range(0, len(boxes), CHUNK_ROWS):
        index, sizes, truth = lookup.find(keyframes[start : start + CHUNK_ROWS])
        np.maximum.at(best_iou, truth, paired_iou(boxes[np.repeat(index + start, sizes)], truth_boxes[truth]))
    return BoxRecall(len(distinct), len(boxes), {iou: float(np.mean(best_iou >= iou)) for iou in ious})


@dataclass
class Breakdown:
    """Means are None where no class has AP; `interval` is None with fewer than two videos."""

    by_group: dict[str, float | None]
    by_iou: dict[float, float | None]
    by_height: dict[str, float | None]
    interval: Interval | None
    errors: ErrorAnalysis
    confusions: list[Confusion]
    boxes: BoxRecall | None


def break_down(result: Result, groups: Mapping[int, str]) -> Breakdown:
    """Run all analyses; `groups` as `read_label_groups` returns them."""
    return Breakdown(
        by_group=mean_ap_by_group(result, groups),
        by_iou=mean_ap_by_iou(result),
        by_height=mean_ap_by_height(result),
        interval=bootstrap_mean_ap(result),
        errors=analyse_errors(result),
        confusions=confusions(result),
        boxes=box_recall(result),
    )


def breakdown_text(result: Result, breakdown: Breakdown) -> str:
    """The breakdown as lines of text, mAP in per cent."""
    lines = [interval_sentence(breakdown.interval)]
    lines += _section("mAP by group of classes", breakdown.by_group)
    lines += _section("mAP by IoU", {f"{iou:.2f}": value for iou, value in breakdown.by_iou.items()})
    lines += _section("mAP by person height", breakdown.by_height)
    lines += ["", f"errors by type: mAP is {percent(result.mean_ap).strip()}; with all errors of one type fixed"]
    for error_type, fixed in breakdown.errors.fixed_mean_ap.items():
        lines.append(f"  {error_type:<20}{percent(fixed)}   (errors: {breakdown.errors.counts[error_type]:,})")
    if breakdown.confusions:
        lines += ["", "confused classes, among the top detections of each class"]
    for pair in breakdown.confusions:
        lines.append(
            f"  {pair.first_for_second + pair.second_for_first:5d}  {pair.first} / {pair.second}:"
            f" {pair.first_for_second} of the second predicted as the first,"
            f" {pair.second_for_first} of the first as the second"
        )
    if breakdown.boxes:
        recall = ", ".join(f"{100 * value:.1f} % at IoU {iou:g}" for iou, value in breakdown.boxes.recall.items())
        lines += ["", f"recall of the person boxes: {recall} ({breakdown.boxes.truth_boxes:,} persons)"]
    return "\n".join(lines)


def interval_sentence(interval: Interval | None) -> str:
    """The 95 % interval of mAP as a sentence."""
    if interval is None:
        return "Fewer than two videos: no interval for mAP."
    low, high = 100 * interval.low, 100 * interval.high
    return f"95 % interval of mAP over {len(interval.samples)} bootstrap samples of videos: {low:.2f} to {high:.2f}"


def _section(title: str, values: Mapping[str, float | None]) -> list[str]:
    return ["", title, *(f"  {name:<20}{percent(value)}" for name, value in values.items())] if values else []
