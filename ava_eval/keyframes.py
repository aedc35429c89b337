"""Numbers keyframes: one integer per (video, timestamp), to the microsecond."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.int64]


class KeyframeIndex:
    """Numbers the keyframes of several tables consistently, in order of appearance.

    `902`, `0902` and `902.0` are one keyframe and `902.5` is another; times closer than a microsecond are equal.
    """

    def __init__(self) -> None:
        self._videos: dict[str, int] = {}
        self._times = pd.Index(np.zeros(0, dtype=np.int64))  # microseconds
        self._keys = pd.Index(np.zeros(0, dtype=np.int64))  # index into _videos << 32 | index into _times

    def add(self, table: pd.DataFrame) -> IntArray:
        """(rows,) number of each row's keyframe; new keyframes get the next numbers."""
        names = table["video"].cat.categories
        of_name = np.array([self._videos.setdefault(str(name), len(self._videos)) for name in names], dtype=np.int64)
        codes, seconds = table["video"].cat.codes.to_numpy(), table["timestamp"].to_numpy()
        if len(codes) == 0:
            return np.zeros(0, dtype=np.int64)
        # Rows of one keyframe mostly stand next to each other, so each run is looked up once.
        changes = np.flatnonzero((codes[1:] != codes[:-1]) | (seconds[1:] != seconds[:-1])) + 1
        starts = np.concatenate([[0], changes])
        time = self._add_times(np.rint(seconds[starts] * 1e6).astype(np.int64))
        keyframe = self._add_keys((of_name[codes[starts]] << 32) | time)
        return np.repeat(keyframe, np.diff(starts, append=len(codes)))

    def _add_times(self, microseconds: IntArray) -> IntArray:
        self._times, indices = _extend(self._times, microseconds)
        return indices

    def _add_keys(self, keys: IntArray) -> IntArray:
        self._keys, indices = _extend(self._keys, keys)
        return indices

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def videos(self) -> list[str]:
        """Names of all videos."""
        return list(self._videos)

    @property
    def video(self) -> IntArray:
        """(keyframes,) index into `videos`."""
        return self._keys.to_numpy() >> 32

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """(keyframes,) timestamps in seconds."""
        return self._times.to_numpy()[self._keys.to_numpy() & 0xFFFFFFFF] / 1e6

    def sorted_numbers(self) -> IntArray:
        """(keyframes,) rank of each keyframe by video name and time: it does not depend on the tables' order."""
        names = self.videos
        rank = np.empty(len(names), dtype=np.int64)
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        ranks = np.empty(len(self), dtype=np.int64)
        ranks[np.lexsort((self.time_s, rank[self.video]))] = np.arange(len(self))
        return ranks


def _extend(known: pd.Index, values: IntArray) -> tuple[pd.Index, IntArray]:
    """`known` with the new values appended, and the index of each value in it."""
    wanted = pd.Index(values)
    known = known.append(wanted.unique().difference(known, sort=False))
    return known, known.get_indexer(wanted).astype(np.int64)
