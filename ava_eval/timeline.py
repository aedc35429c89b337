"""Why the keyframes of two files do not meet: other names, another origin of time, another unit."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.selection import Selection

_FEW = 0.5
_OFFSETS_TRIED = 6
_VIDEOS_LOOKED_AT = 300
_OTHER_UNIT = 5.0  # times of one file beyond this many times the other's are in another unit


def about_keyframes(selection: Selection) -> str | None:
    """A sentence if fewer than half of the keyframes of the smaller file are in the other."""
    found, truth = selection.has_detections, selection.has_truth
    met = int(np.sum(found & truth))
    if not found.any() or not truth.any() or met >= _FEW * min(found.sum(), truth.sum()):
        return None
    said = f"{met:,} of {int(found.sum()):,} keyframes with detections have ground truth"
    names, video = selection.keyframes.videos, selection.keyframes.video
    found_names, truth_names = ({names[place] for place in np.unique(video[which])} for which in (found, truth))
    if not found_names & truth_names:
        return f"{said}: no video is in both files ({_names(found_names, truth_names)})."
    if not np.intersect1d(video[found & ~truth], video[truth]).size:
        new = len(found_names - truth_names)
        return f"{said}: {new:,} of {len(found_names):,} videos with detections are not in the ground truth."
    offset_s, explained = _offset(selection)
    times = selection.keyframes.time_s
    middle, middle_truth = (max(float(np.median(times[which])), 1e-6) for which in (found, truth))
    whose, ratio = max(("the detections'", middle / middle_truth), ("the ground truth's", middle_truth / middle),
                       key=lambda one: one[1])  # fmt: skip
    if explained < _FEW and ratio > _OTHER_UNIT:
        return f"{said}: {whose} times are {ratio:,.4g} times as large; are they milliseconds or frame numbers?"
    return f"{said} (nearest offset {offset_s:g} s: is the time origin wrong?)."


def _names(found: set[str], truth: set[str]) -> str:
    first, other = min(found), min(truth)
    if {PurePath(name).stem for name in found} & {PurePath(name).stem for name in truth}:
        return f"{first!r} and {other!r}: write names without their suffix in both"
    return f"{first!r} in the detections, {other!r} in the ground truth"


def _offset(selection: Selection) -> tuple[float, float]:
    """Detections' time minus the ground truth's, and the share of the keyframes with detections alone that it explains.

    It is the constant, in seconds, under which most of them meet ground truth, the smallest of equals. Tried are those
    between the first, the last and the closest keyframes of each video, the commonest of them.
    """
    video, microseconds = selection.keyframes.video, np.rint(selection.keyframes.time_s * 1e6).astype(np.int64)
    truth = pd.MultiIndex.from_arrays([video[selection.has_truth], microseconds[selection.has_truth]])
    lonely = selection.has_detections & ~selection.has_truth
    tried: Counter[int] = Counter()
    for place in np.intersect1d(video[selection.has_truth], video[lonely])[:_VIDEOS_LOOKED_AT]:
        here = video == place
        of_truth, of_lonely = np.sort(microseconds[here & selection.has_truth]), np.sort(microseconds[here & lonely])
        tried.update({int(of_lonely[0] - of_truth[0]), int(of_lonely[-1] - of_truth[-1])})
        tried.update({int(_closest(of_lonely, of_truth))})

    def meeting(offset: int) -> int:
        moved = pd.MultiIndex.from_arrays([video[lonely], microseconds[lonely] - offset])
        return int(moved.isin(truth).sum())

    offsets = [offset for offset, _ in tried.most_common(_OFFSETS_TRIED)]
    best = max(offsets, key=lambda offset: (meeting(offset), -abs(offset)))
    return best / 1e6, meeting(best) / int(lonely.sum())


def _closest(times: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> np.int64:
    """The signed difference of least size between a time and another."""
    place = np.searchsorted(others, times)
    differences = np.concatenate(
        [times - others[np.maximum(place - 1, 0)], times - others[np.minimum(place, len(others) - 1)]]
    )
    return differences[np.argmin(np.abs(differences))]
