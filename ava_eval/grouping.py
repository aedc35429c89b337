"""Sorting and numbering rows by small whole numbers, in linear time, and by score within them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
_DIGIT_BITS = 16


def order_by(keys: npt.NDArray[Any]) -> IntArray:
    """Stable order of rows by `keys` >= 0.

    numpy sorts 16-bit numbers stably by radix, so larger keys go digit by digit.
    """
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    for shift in range(_DIGIT_BITS, int(keys.max(initial=0)).bit_length(), _DIGIT_BITS):
        digit = (keys >> shift).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def ranked(class_: IntArray, score: npt.NDArray[Any], classes: int) -> Iterator[IntArray]:
    """For each class its rows by falling score; the order among equals means nothing."""
    order = order_by(class_)
    ends = np.cumsum(np.bincount(class_, minlength=classes))
    for rows in np.split(order, ends[:-1]):
        yield rows[np.argsort(score[rows])[::-1]]


def place_in_run(run_lengths: IntArray) -> IntArray:
    """0, 1, 2, ... within each run: (2, 3) -> 0 1 0 1 2."""
    starts = np.cumsum(run_lengths) - run_lengths
    return np.arange(int(run_lengths.sum())) - np.repeat(starts, run_lengths)
