"""Notes on input files that explain a surprising mAP, such as another time origin, pixel boxes or repeated rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.average_precision import Curve
from ava_eval.csv_format import BOX_COLUMNS, PIXEL_THRESHOLD
from ava_eval.matching import Match, paired_iou
from ava_eval.selection import Selection

_MIN_IOU_GAIN = 0.2  # of the mean IoU, before another order of coordinates is suggested
_MAX_INVERTED = 0.02  # fraction of the detections, before another order of coordinates is suggested
_MAX_BOXES_TRIED = 10_000
_MIN_SHARED = 0.5  # fraction of keyframes
_MAX_OFFSETS_TRIED = 6
_MAX_VIDEOS_TRIED = 300
MAX_TIE_SPREAD = 0.0005  # of mAP by the order of tied detections, before a note
_OTHER_UNIT_RATIO = 5.0  # if median timestamps differ by a larger factor, their units differ


def diagnose(
    selection: Selection,
    match: Match,
    curves: list[Curve | None],
    iou: float,
    ground_truth: pd.DataFrame,
    excluded: pd.DataFrame | None,
    tie_range: tuple[float, float] | None = None,
) -> list[str]:
    """Sentences, the most serious first; [] for valid input."""
    return [
        *_about_emptiness(selection, curves),
        *_about_keyframes(selection),
        *_about_boxes(selection, match, iou),
        *_about_inverted_boxes(selection),
        *_about_scores(selection),
        *_about_ties(selection, tie_range),
        *_about_repeated_detections(selection, match),
        *_about_repeated_ground_truth(selection, ground_truth),
        *_about_excluded(selection, excluded),
        *_about_undetected_classes(selection),
    ]


def _about_emptiness(selection: Selection, curves: list[Curve | None]) -> Iterator[str]:
    if len(selection.detections) == 0:
        yield "There are no detections: the file has no row with a box."
    if len(selection.truth.row) == 0:
        yield "There is no ground truth: no box has a class of the label map and a keyframe that counts."
    elif all(curve is None for curve in curves):
        yield "mAP is undefined: no class has both ground truth and a detection on its keyframes."


def _about_keyframes(selection: Selection) -> Iterator[str]:
    """A note if fewer than half of the keyframes of the smaller file are in the other file."""
    detected, truth = selection.has_detections, selection.has_truth
    num_shared = int(np.sum(detected & truth))
    if not detected.any() or not truth.any() or num_shared >= _MIN_SHARED * min(detected.sum(), truth.sum()):
        return
    fact = f"Only {num_shared:,} of {int(detected.sum()):,} keyframes with detections have ground truth"
    names, video = selection.keyframes.videos, selection.keyframes.video
    detected_names, truth_names = ({names[i] for i in np.unique(video[mask])} for mask in (detected, truth))
    if not detected_names & truth_names:
        yield f"{fact}: no video is in both files ({_name_example(detected_names, truth_names)})."
        return
    if not np.intersect1d(video[detected & ~truth], video[truth]).size:
        num_new = len(detected_names - truth_names)
        yield f"{fact}: {num_new:,} of {len(detected_names):,} videos with detections are not in the ground truth."
        return
    offset_s, explained = _time_offset(selection)
    times = selection.keyframes.time_s
    median, median_truth = (max(float(np.median(times[mask])), 1e-6) for mask in (detected, truth))
    ratio, owner = max((median / median_truth, "detections"), (median_truth / median, "ground truth"))
    if explained < _MIN_SHARED and ratio > _OTHER_UNIT_RATIO:
        yield (
            f"{fact}: timestamps of the {owner} are {ratio:,.4g} times as large;"
            " check whether they are milliseconds or frame numbers."
        )
    else:
        yield f"{fact}. The most likely time offset is {offset_s:g} s; check the time origin."


def _name_example(detected: set[str], truth: set[str]) -> str:
    first, other = min(detected), min(truth)
    if {PurePath(name).stem for name in detected} & {PurePath(name).stem for name in truth}:
        return f"{first!r} and {other!r}: write names without their suffix in both"
    return f"{first!r} in the detections, {other!r} in the ground truth"


def _time_offset(selection: Selection) -> tuple[float, float]:
    """The most likely time offset, and the fraction of the keyframes without ground truth that get one by it.

    The offset is detection time minus ground-truth time in seconds. Candidates are the differences between the
    first, the last and the closest keyframes of each video; the most frequent are tried, and ties go to the smallest.
    """
    video, microseconds = selection.keyframes.video, np.rint(selection.keyframes.time_s * 1e6).astype(np.int64)
    truth = pd.MultiIndex.from_arrays([video[selection.has_truth], microseconds[selection.has_truth]])
    unmatched = selection.has_detections & ~selection.has_truth
    candidates: Counter[int] = Counter()
    for index in np.intersect1d(video[selection.has_truth], video[unmatched])[:_MAX_VIDEOS_TRIED]:
        is_video = video == index
        truth_times = np.sort(microseconds[is_video & selection.has_truth])
        times = np.sort(microseconds[is_video & unmatched])
        candidates.update({int(times[0] - truth_times[0]), int(times[-1] - truth_times[-1])})
        candidates.update({int(_closest_difference(times, truth_times))})

    def num_explained(offset: int) -> int:
        shifted = pd.MultiIndex.from_arrays([video[unmatched], microseconds[unmatched] - offset])
        return int(shifted.isin(truth).sum())

    offsets = [offset for offset, _ in candidates.most_common(_MAX_OFFSETS_TRIED)]
    best = max(offsets, key=lambda offset: (num_explained(offset), -abs(offset)))
    return best / 1e6, num_explained(best) / int(unmatched.sum())


def _closest_difference(times: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> np.int64:
    """The difference times[i] - others[j] of smallest absolute value."""
    index = np.searchsorted(others, times)
    before, after = others[np.maximum(index - 1, 0)], others[np.minimum(index, len(others) - 1)]
    differences = np.concatenate([times - before, times - after])
    return differences[np.argmin(np.abs(differences))]


def _about_boxes(selection: Selection, match: Match, iou: float) -> Iterator[str]:
    truth, rows = selection.truth, selection.rows
    if len(truth.row) == 0 or len(rows.row) == 0:
        return
    max_truth = float(truth.boxes.max())
    max_detected = max(float(selection.detections[name].max()) for name in BOX_COLUMNS)
    if (max_detected > PIXEL_THRESHOLD) != (max_truth > PIXEL_THRESHOLD):
        owner = "detections" if max_detected > max_truth else "ground truth"
        yield (
            f"Boxes of the {owner} seem to be in pixels: their largest coordinate is {max(max_detected, max_truth):g},"
            f" that of the other file {min(max_detected, max_truth):g}. Divide x by the frame's width and y by its"
            " height."
        )
    elif len(match.iou):
        best = match.iou.max()
        if best < iou:
            yield f"No detection overlaps ground truth of its class by IoU {iou:g} or more; the best IoU is {best:.3f}."
        yield from _about_box_order(selection, match)
    else:
        yield (
            "No detection shares its keyframe with ground truth of its class;"
            " check that both files use the label map's action ids."
        )


def _about_box_order(selection: Selection, match: Match) -> Iterator[str]:
    """A note if the boxes would overlap ground truth far better with their coordinates in another order."""
    sample = slice(None, None, 1 + len(match.detection) // _MAX_BOXES_TRIED)
    boxes, truth = selection.boxes_of(match.detection[sample]), selection.truth.boxes[match.truth[sample]]
    mean_iou = match.iou[sample].mean()
    x, y, width, height = boxes.T
    alternatives = {
        "y1,x1,y2,x2": np.stack([y, x, height, width], axis=1),
        "x,y,width,height": np.stack([x, y, x + width, y + height], axis=1),
    }
    for name, alternative in alternatives.items():
        other_iou = paired_iou(alternative, truth).mean()
        if other_iou > mean_iou + _MIN_IOU_GAIN:
            yield (
                f"The mean IoU of detections with ground truth is {mean_iou:.2f}, but {other_iou:.2f} if their boxes"
                f" are read as {name}; check the order of their coordinates."
            )


def _about_inverted_boxes(selection: Selection) -> Iterator[str]:
    if not selection.dropped["empty_box"]:
        return
    x1, y1, x2, y2 = (selection.detections[name].to_numpy() for name in BOX_COLUMNS)
    num_inverted = int(np.sum((x1 > x2) | (y1 > y2)))
    if num_inverted > _MAX_INVERTED * len(x1):
        yield (
            f"{num_inverted:,} of {len(x1):,} detections have x1 > x2 or y1 > y2 and do not count; check that their"
            " boxes are corners, not x,y,width,height."
        )


def _about_scores(selection: Selection) -> Iterator[str]:
    score = selection.detections["score"].to_numpy()
    if len(score) < 2:
        return
    if np.all(score == score[0]):
        yield f"All scores are {score[0]:g}, so detections cannot be ranked; check the score column."
    elif score.max() > 1 and np.all(score == np.rint(score)):
        yield f"All scores are whole numbers, up to {score.max():g}; check that the column does not hold person ids."


def _about_ties(selection: Selection, tie_range: tuple[float, float] | None) -> Iterator[str]:
    if tie_range is None or tie_range[1] - tie_range[0] <= MAX_TIE_SPREAD:
        return
    low, high = (100 * value for value in tie_range)
    if selection.protocol.matches_by_score:
        yield tie_note(*tie_range)
    else:
        yield (
            f"mAP is {low:.2f} to {high:.2f} by the order of the rows, in which the {selection.protocol.name} protocol"
            " matches detections; --ties file follows the order of this file."
        )


def tie_note(low: float, high: float) -> str:
    """The note on tied scores between whose orders mAP lies from `low` to `high`."""
    return (
        f"Scores tie: mAP is {100 * low:.2f} to {100 * high:.2f} by the order of tied detections; write more decimals."
    )


def _about_repeated_detections(selection: Selection, match: Match) -> Iterator[str]:
    """A note on repeated rows. The full comparison runs only if two detections have the same box and IoU."""
    overlapping = match.iou > 0
    if not pd.DataFrame({"truth": match.truth[overlapping], "iou": match.iou[overlapping]}).duplicated().any():
        return
    rows = selection.rows
    boxes = pd.DataFrame(selection.boxes_of(np.arange(len(rows.row))), columns=list(BOX_COLUMNS))
    repeated = int(boxes.assign(keyframe=rows.keyframe, class_=rows.class_).duplicated().sum())
    if repeated:
        yield (
            f"{repeated:,} of {len(rows.row):,} detections repeat the video, timestamp, box and class of another row"
            " and count as false positives; check whether the file contains the same rows twice."
        )


def _about_repeated_ground_truth(selection: Selection, ground_truth: pd.DataFrame) -> Iterator[str]:
    kept = ground_truth.iloc[selection.truth.row]
    repeated = int(kept.duplicated(["video", "timestamp", *BOX_COLUMNS, "action_id"]).sum())
    if repeated:
        yield (
            f"{repeated:,} ground-truth rows repeat the box and class of another row. As in the original scripts, no"
            " detection can match them, so AP stays below 1; remove them."
        )


def _about_excluded(selection: Selection, excluded: pd.DataFrame | None) -> Iterator[str]:
    if excluded is None:
        return
    protocol, dropped = selection.protocol, selection.dropped
    if not protocol.uses_excluded:
        yield f"The {protocol.name} protocol does not use excluded timestamps: AVA's ground truth does not list them."
    elif len(excluded) and not dropped["truth_excluded"] and not dropped["excluded_keyframe"]:
        yield f"None of the {len(excluded):,} excluded keyframes is in the ground truth or the detections."
    elif protocol.counts_excluded_boxes and dropped["truth_excluded"]:
        yield (
            f"{dropped['truth_excluded']:,} ground-truth boxes on excluded keyframes still count in recall,"
            f" as in {protocol.source}."
        )


def _about_undetected_classes(selection: Selection) -> Iterator[str]:
    is_detected = np.bincount(selection.rows.class_, minlength=len(selection.class_names)) > 0
    is_left_out = (selection.num_positives > 0) & ~is_detected
    if selection.protocol.averages_undetected or not is_left_out.any():
        return
    names = [name for name, left_out in zip(selection.class_names, is_left_out, strict=True) if left_out]
    yield (
        f"{len(names)} classes with ground truth but without detections are left out of the mean, as in"
        f" {selection.protocol.source}: {', '.join(names)}."
    )
