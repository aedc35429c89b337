"""Sorts and ranks rows by group, in linear time for groups numbered by small integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
_DIGIT_BITS = 16


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
