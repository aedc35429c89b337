"""Everything this package can say about one result, gathered for text and page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ava_eval.bootstrap import Interval, bootstrap_mean_ap
from ava_eval.box_recall import BoxRecall, box_recall
from ava_eval.confusion import Confusion, confusions
from ava_eval.error_analysis import Mistakes, mistakes
from ava_eval.map_by_group import mean_ap_by_group, mean_ap_by_height, mean_ap_by_iou
from ava_eval.result import Result, percent


@dataclass
class Analysis:
    """Means are None where nothing can be averaged."""

    by_group: dict[str, float | None]
    by_iou: dict[float, float | None]
    by_height: dict[str, float | None]
    interval: Interval | None
    mistakes: Mistakes
    confusions: list[Confusion]
    boxes: BoxRecall | None


def analyse(result: Result, groups: Mapping[int, str]) -> Analysis:
    """Break a result down; `groups` as `read_label_groups` gives them."""
    return Analysis(
        by_group=mean_ap_by_group(result, groups),
        by_iou=mean_ap_by_iou(result),
        by_height=mean_ap_by_height(result),
        interval=bootstrap_mean_ap(result),
        mistakes=mistakes(result),
        confusions=confusions(result),
        boxes=box_recall(result),
    )


def analysis_text(result: Result, analysis: Analysis) -> str:
    """The breakdown as lines of text, mAP in per cent."""
    lines = [interval_sentence(analysis.interval)]
    lines += _section("mAP by group of classes", analysis.by_group)
    lines += _section("mAP by IoU", {f"{iou:.2f}": value for iou, value in analysis.by_iou.items()})
    lines += _section("mAP by height of the person", analysis.by_height)
    lines += ["", f"mistakes: mAP is {percent(result.mean_ap).strip()}, and with one kind mended would be"]
    for kind, mended in analysis.mistakes.mended.items():
        lines.append(f"  {kind:<20}{percent(mended)}   ({analysis.mistakes.counts[kind]:,} of them)")
    if analysis.confusions:
        lines += ["", "mistaken for one another, among the best scores of each class"]
    for pair in analysis.confusions:
        lines.append(
            f"  {pair.first_for_second + pair.second_for_first:5d}  {pair.first} / {pair.second}:"
            f" {pair.first_for_second} of the second called the first, {pair.second_for_first} of the first the second"
        )
    if analysis.boxes:
        recall = ", ".join(f"{100 * value:.1f} % at IoU {iou:g}" for iou, value in analysis.boxes.recall.items())
        lines += ["", f"recall of the boxes alone: {recall} ({analysis.boxes.truth_boxes:,} persons)"]
    return "\n".join(lines)


def interval_sentence(interval: Interval | None) -> str:
    """The 95 % interval of mAP over videos."""
    if interval is None:
        return "Fewer than two videos: no interval for mAP."
    low, high = 100 * interval.low, 100 * interval.high
    return f"95 % interval of mAP over {len(interval.samples)} draws of videos: {low:.2f} to {high:.2f}"


def _section(title: str, values: Mapping[str, float | None]) -> list[str]:
    return ["", title, *(f"  {name:<20}{percent(value)}" for name, value in values.items())] if values else []
