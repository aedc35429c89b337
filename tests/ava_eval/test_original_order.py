"""Rows in the order of the original scripts' arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval.original_order import heap_order, keyframe_order, score_order
from tests.ava_eval import reference_protocols

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 3), st.integers(0, 2)), max_size=30
)


def test_keyframes_come_in_the_order_of_a_list() -> None:
    keyframe = np.array([5, 3, 5, 3, 9])
    assert keyframe_order(keyframe, keyframe).tolist() == [0, 2, 1, 3, 4]
    assert keyframe_order(keyframe, np.array([9, 3, 5, 3])).tolist() == [4, 1, 3, 0, 2]


def test_equal_scores_of_a_keyframe_keep_their_order() -> None:
    keyframe, score = np.array([1, 0, 0, 1, 0]), np.array([0.5, 0.1, 0.9, 0.5, 0.9])
    assert score_order(keyframe, score, np.array([0, 1])).tolist() == [2, 4, 1, 0, 3]


@given(ROWS, st.integers(0, 6))
@settings(deadline=None)
def test_heap_order_is_that_of_a_heap_per_keyframe(rows: list[tuple[int, float, int, int]], limit: int) -> None:
    """Rows may be identical; keyframes come in the order of their first rows."""
    keyframe = np.array([row[0] for row in rows], dtype=np.int64)
    score, class_, y1 = (np.array([row[index] for row in rows], dtype=float) for index in (1, 2, 3))
    order = heap_order(keyframe, [score, class_, y1, 0 * y1, 0 * y1 + 5, 0 * y1 + 1], limit)
    expected = []
    for index in dict.fromkeys(row[0] for row in rows):
        entries = [(row[1], row[2], (0.0, float(row[3]), 1.0, 5.0)) for row in rows if row[0] == index]
        expected += [(index, *entry) for entry in reference_protocols.heap_order(entries, limit)]
    found = [(rows[i][0], rows[i][1], rows[i][2], (0.0, float(rows[i][3]), 1.0, 5.0)) for i in order.tolist()]
    assert found == expected
    assert len(set(order.tolist())) == len(order)
