"""Sorting and numbering rows by small whole numbers, in linear time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
_DIGIT_BITS = 16


def order_by(keys: npt.NDArray[Any], order: IntArray | None = None) -> IntArray:
    """Stable order of rows by `keys` >= 0; rows of equal key stay as in `order` (default: as they come).

    numpy sorts 16-bit numbers stably by radix, so larger keys go digit by digit.
    """
    order = np.arange(len(keys)) if order is None else order
    largest = int(keys.max(initial=0))
    for shift in range(0, max(largest.bit_length(), 1), _DIGIT_BITS):
        digit = (keys >> shift).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def descending(values: npt.NDArray[Any]) -> IntArray:
    """Order of falling values; the order among equals means nothing."""
    return np.argsort(values)[::-1]


def place_in_run(run_lengths: IntArray) -> IntArray:
    """0, 1, 2, ... within each run: (2, 3) -> 0 1 0 1 2."""
    starts = np.cumsum(run_lengths) - run_lengths
    return np.arange(int(run_lengths.sum())) - np.repeat(starts, run_lengths)
