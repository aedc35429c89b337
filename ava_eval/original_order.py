"""The order in which the original scripts hold rows, for ties in the order of the file.

numpy's default sort is unstable: where scores tie, its result depends on the whole array. A number is repeated exactly
only on an array of the same order, with the same numpy on the same kind of processor.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ava_eval.grouping import stable_argsort

IntArray = npt.NDArray[np.int64]


def keyframe_order(keyframe: IntArray, listed: IntArray) -> IntArray:
    """Rows by keyframe in the order in which `listed` first names the keyframes; otherwise in their own order."""
    return stable_argsort(_first_index(keyframe, listed)[keyframe])


def score_order(keyframe: IntArray, score: npt.NDArray[Any], listed: IntArray) -> IntArray:
    """As `keyframe_order`, and by descending score within a keyframe."""
    return np.lexsort((-score, _first_index(keyframe, listed)[keyframe]))


def _first_index(keyframe: IntArray, listed: IntArray) -> IntArray:
    """(keyframes,) index of each keyframe's first occurrence in `listed`."""
    size = max(int(keyframe.max(initial=0)), int(listed.max(initial=0))) + 1
    first = np.full(size, len(listed))
    first[listed[::-1]] = np.arange(len(listed))[::-1]
    return first


def heap_order(keyframe: IntArray, columns: Sequence[npt.NDArray[Any]], limit: int = 0) -> IntArray:
    """Rows as the official script's `read_csv` keeps and orders them: in a heap per keyframe, of `limit` rows.

    `columns` are the score, the action id and y1, x1, y2, x2. Keyframes come in the order of their first rows.
    """
    if len(keyframe) == 0:
        return np.zeros(0, dtype=np.int64)
    by_keyframe = keyframe_order(keyframe, keyframe)
    rows = list(zip(*(column[by_keyframe].tolist() for column in columns), strict=True))
    ends = [*(np.flatnonzero(np.diff(keyframe[by_keyframe])) + 1).tolist(), len(rows)]
    order: list[int] = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        kept = _heap(rows[start:end], limit)
        indices = defaultdict(list)  # identical rows are interchangeable
        for index in range(end - 1, start - 1, -1):
            indices[rows[index]].append(index)
        order += [indices[row].pop() for row in kept]
    return by_keyframe[np.array(order, dtype=np.int64)]


def _heap(rows: Sequence[tuple[float, ...]], limit: int) -> list[tuple[float, ...]]:
    entries: list[tuple[float, ...]] = []
    for row in rows:
        if limit < 1 or len(entries) < limit:
            heapq.heappush(entries, row)
        elif row[0] > entries[0][0]:
            heapq.heapreplace(entries, row)
    return sorted(entries, key=lambda row: -row[0])
