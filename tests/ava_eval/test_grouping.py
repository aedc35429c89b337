"""Sorting by integers against numpy's stable sort, and ranking by class."""

import numpy as np
import pytest

from ava_eval.grouping import first_argmax, index_in_run, rank_by_class, stable_argsort


@pytest.mark.parametrize("largest", [0, 1, 65_535, 65_536, 2**31, 2**50])
def test_stable_argsort(largest: int) -> None:
    keys = np.random.default_rng(0).integers(0, largest + 1, 2000) // (1 + largest // 50)
    assert (stable_argsort(keys) == np.argsort(keys, kind="stable")).all()


def test_no_rows() -> None:
    assert stable_argsort(np.zeros(0, dtype=np.int64)).tolist() == []


def test_rank_by_class() -> None:
    by_class = rank_by_class(np.array([2, 0, 2, 2]), np.array([0.1, 0.5, 0.3, 0.2]), 4)
    assert [rows.tolist() for rows in by_class] == [[1], [], [2, 3, 0], []]


def test_index_in_run() -> None:
    assert index_in_run(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert index_in_run(np.zeros(0, dtype=np.int64)).tolist() == []


def test_first_argmax() -> None:
    assert first_argmax(np.array([1.0, 3.0, 3.0, 2.0, 2.0]), np.array([3, 2])).tolist() == [1, 3]
    assert first_argmax(np.zeros(0), np.zeros(0, dtype=np.int64)).tolist() == []
