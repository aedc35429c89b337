"""All analyses of one result, for `--breakdown` and `--report`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ava_eval.bootstrap import Interval, bootstrap_mean_ap
from ava_eval.box_recall import BoxRecall, box_recall
from ava_eval.confusion import Confusion, confusions
from ava_eval.error_analysis import ErrorAnalysis, analyse_errors
from ava_eval.map_by_group import mean_ap_by_group, mean_ap_by_height, mean_ap_by_iou
from ava_eval.result import Result, percent


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
