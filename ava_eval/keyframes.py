"""Keyframes as whole numbers: one per (video, timestamp), to the microsecond."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.int64]


class KeyframeIndex:
    """Numbers the keyframes of several tables alike, in order of appearance.

    `902`, `0902`, `902.0` are one keyframe and `902.5` is another; times closer than a microsecond are equal.
    """

    def __init__(self) -> None:
        self._videos: dict[str, int] = {}
        self._times = pd.Index(np.zeros(0, dtype=np.int64))  # microseconds
        self._keys = pd.Index(np.zeros(0, dtype=np.int64))  # place in _videos << 32 | place in _times

    def add(self, table: pd.DataFrame) -> IntArray:
        """The keyframe of each row. Rows of one keyframe mostly stand together, so runs are looked up once."""
        names = table["video"].cat.categories
        of_name = np.array([self._videos.setdefault(str(name), len(self._videos)) for name in names], dtype=np.int64)
        codes, seconds = table["video"].cat.codes.to_numpy(), table["timestamp"].to_numpy()
        if len(codes) == 0:
            return np.zeros(0, dtype=np.int64)
        changes = np.flatnonzero((codes[1:] != codes[:-1]) | (seconds[1:] != seconds[:-1])) + 1
        starts = np.concatenate([[0], changes])
        time = self._times_of(np.rint(seconds[starts] * 1e6).astype(np.int64))
        keyframe = self._keyframes_of((of_name[codes[starts]] << 32) | time)
        return np.repeat(keyframe, np.diff(starts, append=len(codes)))

    def _times_of(self, microseconds: IntArray) -> IntArray:
        self._times, places = _places(self._times, microseconds)
        return places

    def _keyframes_of(self, keys: IntArray) -> IntArray:
        self._keys, places = _places(self._keys, keys)
        return places

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def videos(self) -> list[str]:
        return list(self._videos)

    @property
    def video(self) -> IntArray:
        """(keyframes,) index into `videos`."""
        return self._keys.to_numpy() >> 32

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """(keyframes,) seconds."""
        return self._times.to_numpy()[self._keys.to_numpy() & 0xFFFFFFFF] / 1e6


def _places(known: pd.Index, values: IntArray) -> tuple[pd.Index, IntArray]:
    """`known` with the new values behind it, and where in it each value is."""
    wanted = pd.Index(values)
    known = known.append(wanted.unique().difference(known, sort=False))
    return known, known.get_indexer(wanted).astype(np.int64)
