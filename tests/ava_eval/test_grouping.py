"""Sorting by integers against numpy's stable sort, ranking by class, and the top rows of each group."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval.grouping import first_argmax, index_in_run, rank_by_class, stable_argsort, top_k_rows


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


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.5, 0.9])), max_size=30), st.integers(1, 6))
@settings(deadline=None)
def test_rows_are_certain_unless_their_score_ties_at_the_limit(rows: list[tuple[int, float]], k: int) -> None:
    keyframe, score = (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=float),
    )
    keep, tied = top_k_rows(keyframe, score, k)
    for index in range(3):
        scores = sorted(score[keyframe == index], reverse=True)
        limit = scores[k - 1] if len(scores) > k else -1.0
        is_open = len(scores) > k and scores[k] == limit
        assert sorted(score[tied[keyframe[tied] == index]]) == [limit] * (scores.count(limit) if is_open else 0)
        kept = sorted(score[keep & (keyframe == index)], reverse=True)
        assert kept == [value for value in scores if value > limit or (value == limit and not is_open)]
