from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from avdet.people.smooth_scores import smooth_scores


def table(rows: list[tuple[str, float, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["video", "timestamp", "person_id", "score"])


def test_means_by_hand() -> None:
    """A window of 2 s holds a second before and after; the third keyframe is 1.5 s away from the second."""
    rows = [("a", 2.0, 0, 0.6), ("a", 1.0, 0, 0.9), ("a", 3.5, 0, 0.1), ("a", 1.0, 1, 0.2), ("b", 1.0, 0, 0.3)]
    assert smooth_scores(table(rows), 2.0)["score"].tolist() == pytest.approx([0.75, 0.75, 0.1, 0.2, 0.3])
    assert smooth_scores(table(rows), 0.0)["score"].tolist() == pytest.approx([row[3] for row in rows])


def test_people_without_an_id_are_no_track() -> None:
    rows = [("a", 1.0, -1, 0.9), ("a", 2.0, -1, 0.1)]
    assert smooth_scores(table(rows), 10.0)["score"].tolist() == [0.9, 0.1]


def test_each_action_is_a_track_of_its_own() -> None:
    rows = table([("a", 1.0, 0, 0.8), ("a", 1.0, 0, 0.2), ("a", 2.0, 0, 0.4), ("a", 2.0, 0, 0.0)])
    smoothed = smooth_scores(rows.assign(action_id=[1, 2, 1, 2]), 2.0)
    assert smoothed["score"].tolist() == pytest.approx([0.6, 0.1, 0.6, 0.1])


def test_against_pandas_at_even_times() -> None:
    rng = np.random.default_rng(0)
    rows = table([("a", 0.1 * k, 0, float(rng.random())) for k in range(50)])
    expected = rows["score"].rolling(5, center=True, min_periods=1).mean()
    shuffled = smooth_scores(rows.sample(frac=1, random_state=1), 0.4)
    assert shuffled["score"].sort_index().to_numpy() == pytest.approx(expected.to_numpy())


def test_nothing_to_smooth_and_a_wrong_window() -> None:
    assert smooth_scores(table([]), 2.0).empty
    with pytest.raises(ValueError, match="0 seconds or more"):
        smooth_scores(table([]), -1.0)
