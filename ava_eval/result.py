"""The result of an evaluation, and its text: AP by class and a summary of counted and dropped rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ava_eval.matching import Match
from ava_eval.protocols import PROTOCOLS
from ava_eval.selection import Selection

_REASONS = {
    "unknown_class": "of classes outside the label map",
    "excluded_keyframe": "on excluded keyframes",
    "uncounted_keyframe": "on keyframes without ground truth",
    "over_limit": "beyond the {limit} best of their keyframe",
    "empty_box": "with an empty or inverted box",
    "truth_unknown_class": "of classes outside the label map",
    "truth_excluded": "on excluded keyframes",
}


@dataclass
class Draw:
    """One seeded choice of the rows and matches that ties leave open."""

    selection: Selection
    match: Match


@dataclass
class Result:
    """Frame AP as fractions of 1; None for a class that the protocol leaves out of the mean.

    `truth_boxes` and `detection_rows` are counts by class. `notes` are sentences about problems of the input.
    `tie_range` holds the mAP that 95 % of the orders of tied detections give, with ties "expected". Further analyses
    start from `draws`; those that count rows use the first of them, `selection` and `match`.
    """

    protocol: str
    iou: float
    ties: str
    mean_ap: float | None
    ap: dict[str, float | None]
    counts: dict[str, int | float]
    truth_boxes: dict[str, int]
    detection_rows: dict[str, int]
    tie_range: tuple[float, float] | None
    notes: list[str]
    draws: list[Draw] = field(repr=False)

    @property
    def selection(self) -> Selection:
        """The selection of the first draw."""
        return self.draws[0].selection

    @property
    def match(self) -> Match:
        """The match of the first draw."""
        return self.draws[0].match

    def mean_over_draws(self, measure: Callable[[Draw], float | None]) -> float | None:
        """The mean of a measure of every draw; None if it is None for any."""
        values = [measure(draw) for draw in self.draws]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if len(known) == len(values) else None

    def to_json(self) -> dict[str, object]:
        """`{"protocol", "iou", "ties", "mAP", "AP": {class name: number or None}, "counts"}`."""
        return {
            "protocol": self.protocol,
            "iou": self.iou,
            "ties": self.ties,
            "mAP": self.mean_ap,
            "AP": dict(self.ap),
            "counts": dict(self.counts),
        }


def table(result: Result) -> str:
    """AP, boxes and detections by class and their mean, as lines of text; `-` where a class has no AP."""
    boxes, rows = sum(result.truth_boxes.values()), sum(result.detection_rows.values())
    lines = [(name, ap, result.truth_boxes[name], result.detection_rows[name]) for name, ap in result.ap.items()]
    lines.append(("mean", result.mean_ap, boxes, rows))
    width = max(len(name) for name, *_ in lines)
    header = f"{'class':<{width}}      AP    boxes  detections"
    return "\n".join([header, *(f"{name:<{width}}  {percent(ap)}  {b:7d}  {r:10d}" for name, ap, b, r in lines)])


def percent(value: float | None) -> str:
    """Six characters: ` 34.25` for 0.3425, `-` for None."""
    return f"{'-':>6}" if value is None else f"{100 * value:6.2f}"


def summary(result: Result) -> list[str]:
    """Lines on the protocol, the averaged classes, the keyframes, and the rows that each rule dropped."""
    protocol, counts = PROTOCOLS[result.protocol], result.counts
    return [
        f"protocol: {protocol.name}, as {protocol.source}; IoU {result.iou:g}; ties {result.ties}",
        f"classes: {counts['classes_averaged']} of {counts['classes']} averaged;"
        f" {counts['classes_without_ground_truth']} without ground truth,"
        f" {counts['classes_without_detections']} without detections",
        f"keyframes: {counts['keyframes_with_ground_truth']:,} with ground truth,"
        f" {counts['keyframes_with_detections']:,} with detections, {counts['keyframes_with_both']:,} with both;"
        f" {counts['keyframes_scored']:,} scored",
        f"ground truth: {counts['ground_truth_boxes']:,} boxes"
        + _dropped(result, "truth_unknown_class", "truth_excluded"),
        f"detections: {counts['detections']:,} rows, {counts['detections_scored']:,} scored"
        + _dropped(result, "unknown_class", "excluded_keyframe", "uncounted_keyframe", "over_limit", "empty_box"),
    ]


def _dropped(result: Result, *rules: str) -> str:
    limit = PROTOCOLS[result.protocol].max_detections
    counts = [(result.counts.get(f"dropped_{rule}", 0), _REASONS[rule].format(limit=limit)) for rule in rules]
    reasons = [f"{count:,} {reason}" for count, reason in counts if count]
    return f"; dropped: {', '.join(reasons)}" if reasons else ""
