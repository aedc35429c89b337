"""What an evaluation counted and dropped, as sentences."""

from __future__ import annotations

from ava_eval.protocols import PROTOCOLS
from ava_eval.result import Result

_RULES = {
    "unknown_class": "of classes outside the label map",
    "excluded_keyframe": "on excluded keyframes",
    "uncounted_keyframe": "on keyframes without ground truth",
    "over_limit": "beyond the {limit} best of their keyframe",
    "empty_box": "with an empty box",
    "truth_unknown_class": "of classes outside the label map",
    "truth_excluded": "on excluded keyframes",
}


def summary(result: Result) -> list[str]:
    """Protocol, classes averaged, keyframes, and the rows that each rule dropped."""
    protocol, counts = PROTOCOLS[result.protocol], result.counts
    return [
        f"protocol: {protocol.name}, as {protocol.source}; IoU {result.iou:g}",
        f"classes: {counts['classes_averaged']} of {counts['classes']} averaged; {_classes_left_out(counts)}",
        f"keyframes: {counts['keyframes_with_ground_truth']:,} with ground truth,"
        f" {counts['keyframes_with_detections']:,} with detections, {counts['keyframes_with_both']:,} with both;"
        f" {counts['keyframes_scored']:,} scored",
        f"ground truth: {counts['ground_truth_boxes']:,} boxes"
        + _dropped(result, "truth_unknown_class", "truth_excluded"),
        f"detections: {counts['detections']:,} rows, {counts['detections_scored']:,} scored"
        + _dropped(result, "unknown_class", "excluded_keyframe", "uncounted_keyframe", "over_limit", "empty_box"),
    ]


def _classes_left_out(counts: dict[str, int]) -> str:
    return (
        f"{counts['classes_without_ground_truth']} without ground truth,"
        f" {counts['classes_without_detections']} without detections"
    )


def _dropped(result: Result, *rules: str) -> str:
    limit = PROTOCOLS[result.protocol].rows_per_keyframe
    counts = [(result.counts.get(f"dropped_{rule}", 0), _RULES[rule].format(limit=limit)) for rule in rules]
    said = [f"{count:,} {reason}" for count, reason in counts if count]
    return f"; dropped: {', '.join(said)}" if said else ""
