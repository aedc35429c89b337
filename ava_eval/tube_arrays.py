"""Boxes on frames, and tubes, which are boxes of one object on ascending frames, in flat arrays; their IoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import index_in_run
from ava_eval.matching import paired_iou

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]
FRAME_BITS = 24  # frame numbers are below 2 ** FRAME_BITS
_CHUNK_ROWS = 1 << 20
_CHUNK_PAIRS = 1 << 19


@dataclass
class FrameBoxes:
    """(N,) boxes on frames. `score` keeps the file's type, because numpy's sort of ties depends on it."""

    video: IntArray
    class_: IntArray
    score: AnyArray
    frame: IntArray
    boxes: FloatArray  # (N, 4) x1 y1 x2 y2 in pixels

    def take(self, order: IntArray) -> FrameBoxes:
        """The boxes of these indices, in their order."""
        return FrameBoxes(
            self.video[order], self.class_[order], self.score[order], self.frame[order], self.boxes[order]
        )


@dataclass
class Tubes:
    """(T,) tubes. The rows of tube i are those from `start[i]` to `start[i + 1]`, by ascending frame."""

    video: IntArray
    class_: IntArray
    score: AnyArray
    start: IntArray  # (T + 1,)
    frame: IntArray  # (rows,)
    boxes: FloatArray  # (rows, 4)

    @classmethod
    def join(cls, video: Sequence[int], class_: Sequence[int], score: AnyArray, arrays: Sequence[AnyArray]) -> Tubes:
        """From one array per tube, its first columns frame, x1, y1, x2, y2."""
        rows = np.concatenate([array[:, :5] for array in arrays]) if arrays else np.zeros((0, 5))
        return cls(
            np.array(video, np.int64),
            np.array(class_, np.int64),
            score,
            np.cumsum([0, *map(len, arrays)]),
            rows[:, 0].astype(np.int64),
            rows[:, 1:].astype(np.float64),
        )

    @property
    def length(self) -> IntArray:
        """(T,) number of rows of each tube."""
        return np.diff(self.start)

    @property
    def first(self) -> IntArray:
        """(T,) first frame of each tube."""
        return self.frame[self.start[:-1]]

    @property
    def last(self) -> IntArray:
        """(T,) last frame of each tube."""
        return self.frame[self.start[1:] - 1]

    def take(self, order: IntArray) -> Tubes:
        """The tubes of these indices, in their order."""
        length = self.length[order]
        rows = np.repeat(self.start[order], length) + index_in_run(length)
        start = np.concatenate([[0], np.cumsum(length)])
        return Tubes(
            self.video[order], self.class_[order], self.score[order], start, self.frame[rows], self.boxes[rows]
        )

    def frame_boxes(self) -> FrameBoxes:
        """The boxes of all tubes, with the score of their tube."""
        tube = np.repeat(np.arange(len(self.video)), self.length)
        return FrameBoxes(self.video[tube], self.class_[tube], self.score[tube], self.frame, self.boxes)


def box_iou(boxes: FloatArray, others: FloatArray, *, inclusive: bool) -> FloatArray:
    """(N,) IoU of boxes[i] with others[i]; `inclusive`: the last pixel counts."""
    if inclusive:
        last = np.array([0.0, 0.0, 1.0, 1.0])
        boxes, others = boxes + last, others + last
    return paired_iou(boxes, others)


def tube_iou(tubes: Tubes, tube: IntArray, others: Tubes, other: IntArray, *, inclusive: bool) -> FloatArray:
    """(P,) IoU of tubes tube[i] with others other[i]: temporal IoU times mean IoU of boxes over the common duration.

    The mean is over the frames on which either tube has a box: its IoU is 0 where one of them has none. The originals
    stop there. 0 for tubes of which neither has a duration.
    """
    begin = np.maximum(tubes.first[tube], others.first[other])
    end = np.minimum(tubes.last[tube], others.last[other])
    union = np.maximum(tubes.last[tube], others.last[other]) - np.minimum(tubes.first[tube], others.first[other])
    duration = union + inclusive
    temporal = np.divide(end - begin + inclusive, duration, out=np.zeros(len(tube)), where=duration > 0)
    iou = np.zeros(len(tube))
    meeting = np.flatnonzero((begin <= end) & (temporal > 0))
    bounds = np.cumsum(tubes.length[tube[meeting]]) // _CHUNK_ROWS
    keys, other_keys = _keys(tubes), _keys(others)
    for pairs in np.split(meeting, np.flatnonzero(np.diff(bounds)) + 1):
        low, high = _row_range(keys, tube[pairs], begin[pairs], end[pairs])
        other_low, other_high = _row_range(other_keys, other[pairs], begin[pairs], end[pairs])
        pair = np.repeat(np.arange(len(pairs)), high - low)
        row = np.repeat(low, high - low) + index_in_run(high - low)
        found = np.searchsorted(other_keys, (other[pairs][pair] << FRAME_BITS) + tubes.frame[row])
        found = np.minimum(found, len(other_keys) - 1)
        is_shared = (others.frame[found] == tubes.frame[row]) & (found >= other_low[pair]) & (found < other_high[pair])
        shared = np.bincount(pair[is_shared], minlength=len(pairs))
        ious = box_iou(tubes.boxes[row[is_shared]], others.boxes[found[is_shared]], inclusive=inclusive)
        total = np.bincount(pair[is_shared], ious, minlength=len(pairs))
        frames = (high - low) + (other_high - other_low) - shared
        iou[pairs] = total / np.maximum(frames, 1) * temporal[pairs]
    return iou


def _keys(tubes: Tubes) -> IntArray:
    """(rows,) ascending keys of tube and frame."""
    return (np.repeat(np.arange(len(tubes.video)), tubes.length) << FRAME_BITS) + tubes.frame


def _row_range(keys: IntArray, tube: IntArray, begin: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """The rows of each tube from its frame `begin` to its frame `end`."""
    low = np.searchsorted(keys, (tube << FRAME_BITS) + begin)
    return low, np.searchsorted(keys, (tube << FRAME_BITS) + end, side="right")


def suppress(tubes: Tubes, limit: float, *, inclusive: bool) -> Tubes:
    """The tubes left by non-maximum suppression in each video and class, by video and then by descending score.

    A tube is dropped if its IoU with a kept one of higher score exceeds `limit`. Equal scores are in the order of
    numpy's default sort, reversed.
    """
    group = tubes.video * (int(tubes.class_.max(initial=0)) + 1) + tubes.class_
    by_group = np.argsort(group, kind="stable")
    parts = np.split(by_group, np.flatnonzero(np.diff(group[by_group])) + 1)
    order = np.concatenate([part[np.argsort(tubes.score[part])[::-1]] for part in parts])
    sizes = np.array([len(part) for part in parts])
    later = np.repeat(sizes, sizes) - index_in_run(sizes) - 1  # number of tubes of lower score in the group
    is_kept = np.ones(len(order), dtype=bool)
    blocks = np.flatnonzero(np.diff(np.cumsum(later) // _CHUNK_PAIRS)) + 1
    for block in np.split(np.arange(len(order)), blocks):
        kept = block[is_kept[block]]
        place = np.repeat(kept, later[kept])
        other = place + 1 + index_in_run(later[kept])
        close = np.flatnonzero(tube_iou(tubes, order[place], tubes, order[other], inclusive=inclusive) > limit)
        for better, worse in zip(place[close].tolist(), other[close].tolist(), strict=True):
            if is_kept[better]:
                is_kept[worse] = False
    return tubes.take(order[is_kept])
