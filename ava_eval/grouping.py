"""Sorts, ranks and selects rows by group, in linear time for groups numbered by small integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
_DIGIT_BITS = 16
_CHUNK_CELLS = 1 << 22


def stable_argsort(keys: npt.NDArray[Any]) -> IntArray:
    """Stable order of integer keys >= 0.

    numpy sorts 16-bit integers stably by radix, so larger keys are sorted digit by digit.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for shift in range(_DIGIT_BITS, int(keys.max(initial=0)).bit_length(), _DIGIT_BITS):
        digit = (keys >> shift).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def rank_by_class(class_: IntArray, score: npt.NDArray[Any], num_classes: int) -> Iterator[IntArray]:
    """Yield for each class its rows by descending score; the order of equal scores is undefined."""
    order = stable_argsort(class_)
    ends = np.cumsum(np.bincount(class_, minlength=num_classes))
    for rows in np.split(order, ends[:-1]):
        yield rows[np.argsort(score[rows])[::-1]]


def index_in_run(run_lengths: IntArray) -> IntArray:
    """0, 1, 2, ... within each run: (2, 3) -> 0 1 0 1 2."""
    starts = np.cumsum(run_lengths) - run_lengths
    return np.arange(int(run_lengths.sum())) - np.repeat(starts, run_lengths)


def first_argmax(values: FloatArray, run_lengths: IntArray) -> IntArray:
    """Index of the first largest value of each run."""
    if len(run_lengths) == 0:
        return np.zeros(0, dtype=np.int64)
    starts = np.cumsum(run_lengths) - run_lengths
    largest = np.repeat(np.maximum.reduceat(values, starts), run_lengths)
    candidates = np.where(values == largest, np.arange(len(values)), len(values))
    return np.minimum.reduceat(candidates, starts)


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
