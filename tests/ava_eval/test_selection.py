"""The top k rows of each keyframe, against a heap for each keyframe."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval.selection import top_k_rows

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 3), st.integers(0, 2)), max_size=30
)


@given(ROWS, st.integers(1, 6))
@settings(deadline=None)
def test_top_k_rows_are_the_largest_by_score_id_and_box(rows: list[tuple[int, float, int, int]], k: int) -> None:
    table = pd.DataFrame(rows, columns=["keyframe", "score", "action_id", "y1"]).assign(x1=0.0, y2=1.0, x2=1.0)
    keyframe, score = table["keyframe"].to_numpy(dtype=np.int64), table["score"].to_numpy(dtype=np.float64)
    keep = top_k_rows(keyframe, score, k, np.arange(len(rows)), table)
    kept = sorted(row for row, is_kept in zip(rows, keep, strict=True) if is_kept)
    expected = [row for index in range(3) for row in heapq.nlargest(k, (row for row in rows if row[0] == index))]
    assert kept == sorted(expected)


def test_rows_index_the_table() -> None:
    """Rows 1 and 2 of the table tie; the larger id is kept."""
    table = pd.DataFrame({"action_id": [9, 1, 2], "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0})
    keep = top_k_rows(np.zeros(2, dtype=np.int64), np.array([0.5, 0.5]), 1, np.array([1, 2]), table)
    assert keep.tolist() == [False, True]
