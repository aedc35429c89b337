"""Sorting by whole numbers against numpy's own stable sort."""

import numpy as np
import pytest

from ava_eval.grouping import order_by, place_in_run, ranked


@pytest.mark.parametrize("largest", [0, 1, 65_535, 65_536, 2**31, 2**50])
def test_order_by_is_a_stable_sort(largest: int) -> None:
    keys = np.random.default_rng(0).integers(0, largest + 1, 2000) // (1 + largest // 50)
    assert (order_by(keys) == np.argsort(keys, kind="stable")).all()


def test_nothing_to_order() -> None:
    assert order_by(np.zeros(0, dtype=np.int64)).tolist() == []


def test_ranked() -> None:
    by_class = ranked(np.array([2, 0, 2, 2]), np.array([0.1, 0.5, 0.3, 0.2]), 4)
    assert [rows.tolist() for rows in by_class] == [[1], [], [2, 3, 0], []]


def test_place_in_run() -> None:
    assert place_in_run(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert place_in_run(np.zeros(0, dtype=np.int64)).tolist() == []
