"""Selects the rows of highest score of each keyframe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.grouping import index_in_run, stable_argsort
from ava_eval.ties import random_subsets

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
_CHUNK_CELLS = 1 << 22


def top_k_rows(keyframe: IntArray, score: FloatArray, k: int) -> tuple[BoolArray, IntArray]:
    """(N,) mask of the k rows of highest score in each keyframe, and the rows whose ties leave the choice open.

    The mask is False for the latter: they have the k-th score of their keyframe, and more than k rows reach it.
    """
    limit = _kth_score(keyframe, score, k)[keyframe]
    keep = score >= limit
    is_over = (np.bincount(keyframe[keep]) > k)[keyframe[keep]]
    reaching = np.flatnonzero(keep)[is_over]
    is_open = score[reaching] == limit[reaching]
    keep[reaching[is_open]] = False
    return keep, reaching[is_open]


def draw_tied_rows(
    keyframe: IntArray, num_above: IntArray, k: int, table: pd.DataFrame, rng: np.random.Generator
) -> BoolArray:
    """(N,) mask of the tied rows that fill the k places of their keyframe, for one random order of its rows.

    The official script keeps a heap of k rows. A row that ties with the smallest of a full heap is left out, and one
    of a higher score replaces the smallest (score, action_id, y1, x1, y2, x2). So the tied rows among the first k
    that reach the k-th score are in the heap, and the largest of them stay. `num_above` (N,) counts the rows of a
    higher score, and `table` holds the rows. The result depends on the keyframes' numbers, but not on the order of
    the rows.
    """
    columns = [-table[name].to_numpy() for name in ("x2", "y2", "x1", "y1", "action_id")]
    order = np.lexsort((*columns, keyframe))
    sizes = np.bincount(keyframe)
    sizes = sizes[sizes > 0]
    above = num_above[order][np.cumsum(sizes) - sizes]
    num_drawn = k - rng.hypergeometric(above, sizes, k)
    drawn = order[random_subsets(sizes, num_drawn, rng)]
    is_kept = np.zeros(len(keyframe), dtype=bool)
    is_kept[drawn[index_in_run(num_drawn) < np.repeat(k - above, num_drawn)]] = True
    return is_kept


def _kth_score(keyframe: IntArray, score: FloatArray, k: int) -> FloatArray:
    """(keyframes,) k-th highest score of each keyframe, -inf for keyframes of at most k rows."""
    sizes = np.bincount(keyframe)
    kth = np.full(len(sizes), -np.inf)
    is_sorted = bool(np.all(keyframe[1:] >= keyframe[:-1]))
    by_keyframe = score if is_sorted else score[stable_argsort(keyframe)]
    starts = np.cumsum(sizes) - sizes
    crowded = np.flatnonzero(sizes > k)
    crowded = crowded[np.argsort(sizes[crowded])]  # keyframes of similar size are padded to one width
    while len(crowded):
        chunk_size = max(1, _CHUNK_CELLS // int(sizes[crowded[-1]]))
        chunk, crowded = crowded[-chunk_size:], crowded[:-chunk_size]
        width = int(sizes[chunk[-1]])
        padded = np.full((len(chunk), width), -np.inf)
        rows = np.repeat(starts[chunk], sizes[chunk]) + index_in_run(sizes[chunk])
        padded[np.arange(width) < sizes[chunk][:, None]] = by_keyframe[rows]
        kth[chunk] = np.partition(padded, width - k, axis=1)[:, width - k]
    return kth
