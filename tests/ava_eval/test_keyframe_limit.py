"""The top k rows of each keyframe, against the official script's heap in random orders of the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval.keyframe_limit import draw_tied_rows, top_k_rows
from tests.ava_eval.reference_protocols import heap_order

ROWS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.5, 0.9])), max_size=30)


@given(ROWS, st.integers(1, 6))
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


def test_tied_rows_are_drawn_as_often_as_by_the_heap() -> None:
    """Three rows of a higher score and six tied ones share five places; the larger id is likelier to stay."""
    rng = np.random.default_rng(0)
    ids, k, draws = np.arange(1, 7), 5, 4000
    table = pd.DataFrame({"action_id": ids, "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0})
    drawn = np.mean([_draw(table, k, rng) for _ in range(draws)], axis=0)
    rows = [(0.5, int(id_), (0.0, 0.0, 1.0, 1.0)) for id_ in ids] + [(0.9, 9, (0.0, 0.0, 1.0, 1.0))] * 3
    counts = np.zeros(10)
    for _ in range(draws):
        kept = heap_order([rows[index] for index in rng.permutation(len(rows))], limit=k)
        np.add.at(counts, [row[1] for row in kept], 1)
    assert drawn.sum() == pytest.approx(2)
    assert drawn == pytest.approx(counts[1:7] / draws, abs=0.035)
    assert drawn[5] > drawn[0] + 0.2


def _draw(table: pd.DataFrame, k: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    zeros = np.zeros(len(table), dtype=np.int64)
    return draw_tied_rows(zeros, zeros + 3, k, table, rng)


def test_each_keyframe_has_its_own_places() -> None:
    """Keyframe 4 has one row above and two tied for one place, keyframe 7 none above and three tied for two places."""
    table = pd.DataFrame({"action_id": [1, 2, 1, 2, 3], "x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0})
    keyframe, num_above = np.array([4, 7, 4, 7, 7]), np.array([1, 0, 1, 0, 0])
    for seed in range(20):
        kept = draw_tied_rows(keyframe, num_above, 2, table, np.random.default_rng(seed))
        assert (kept[keyframe == 4].sum(), kept[keyframe == 7].sum()) == (1, 2)
