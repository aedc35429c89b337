"""The three published ways to score AVA, point by point where they differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """What one original counts, and in which order it matches."""

    name: str
    source: str
    listed_keyframes: bool  # a ground-truth row of any class, or of none, makes its keyframe count
    detected_keyframes: bool  # a keyframe with detections alone counts too
    rows_per_keyframe: int | None  # the best scores kept, over all classes; None keeps all
    reads_excluded: bool
    counts_excluded_ground_truth: bool  # boxes on excluded keyframes stay in the number recall is divided by
    matches_by_score: bool  # within a keyframe the best score chooses first; otherwise the file's first row
    drops_empty_boxes: bool  # detections of zero width or height are no false positives
    averages_undetected: bool  # a class that no detection on a counted keyframe names has AP 0, rather than none
    single_precision: bool  # boxes and scores are rounded to float32


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "official",
            "ActivityNet's get_ava_performance.py",
            listed_keyframes=True,
            detected_keyframes=False,
            rows_per_keyframe=50,
            reads_excluded=False,
            counts_excluded_ground_truth=False,
            matches_by_score=True,
            drops_empty_boxes=True,
            averages_undetected=True,
            single_precision=False,
        ),
        Protocol(
            "pyslowfast",
            "PySlowFast's ava_eval_helper.py",
            listed_keyframes=False,
            detected_keyframes=True,
            rows_per_keyframe=None,
            reads_excluded=True,
            counts_excluded_ground_truth=False,
            matches_by_score=False,
            drops_empty_boxes=True,
            averages_undetected=True,
            single_precision=False,
        ),
        Protocol(
            "mmaction2",
            "MMAction2's ava_utils.py",
            listed_keyframes=False,
            detected_keyframes=False,
            rows_per_keyframe=None,
            reads_excluded=True,
            counts_excluded_ground_truth=True,
            matches_by_score=True,
            drops_empty_boxes=False,
            averages_undetected=False,
            single_precision=True,
        ),
    )
}
