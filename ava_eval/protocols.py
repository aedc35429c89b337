"""The three published evaluation protocols for AVA, and every rule in which they differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """The rules of one published evaluation script."""

    name: str
    source: str
    scores_listed_keyframes: bool  # any ground-truth row lists its keyframe; otherwise only boxes of known classes do
    scores_detected_keyframes: bool  # keyframes with detections and no ground truth count too
    max_detections: int | None  # per keyframe, over all classes, by score; None keeps all
    uses_excluded: bool  # drops excluded keyframes
    counts_excluded_boxes: bool  # ground-truth boxes on excluded keyframes still count in recall
    matches_by_score: bool  # matches the detections of a keyframe by descending score; otherwise in file order
    drops_empty_boxes: bool  # detections without area are dropped; otherwise they are false positives
    averages_undetected: bool  # a class without detections on scored keyframes has AP 0; otherwise it has no AP
    single_precision: bool  # rounds boxes and scores to float32


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "official",
            "ActivityNet's get_ava_performance.py",
            scores_listed_keyframes=True,
            scores_detected_keyframes=False,
            max_detections=50,
            uses_excluded=False,
            counts_excluded_boxes=False,
            matches_by_score=True,
            drops_empty_boxes=True,
            averages_undetected=True,
            single_precision=False,
        ),
        Protocol(
            "pyslowfast",
            "PySlowFast's ava_eval_helper.py",
            scores_listed_keyframes=False,
            scores_detected_keyframes=True,
            max_detections=None,
            uses_excluded=True,
            counts_excluded_boxes=False,
            matches_by_score=False,
            drops_empty_boxes=True,
            averages_undetected=True,
            single_precision=False,
        ),
        Protocol(
            "mmaction2",
            "MMAction2's ava_utils.py",
            scores_listed_keyframes=False,
            scores_detected_keyframes=False,
            max_detections=None,
            uses_excluded=True,
            counts_excluded_boxes=True,
            matches_by_score=True,
            drops_empty_boxes=False,
            averages_undetected=False,
            single_precision=True,
        ),
    )
}
