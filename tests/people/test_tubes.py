from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from avdet.people.tubes import rounded_tubes, smooth_scores, tube_table

ROWS = pd.DataFrame(
    [
        ("v", 1.0, 0, 12, 0.9),
        ("v", 2.0, 0, 12, 0.7),
        ("v", 3.0, 0, 12, 0.1),  # below min_score: the tube ends at 2 s
        ("v", 9.0, 0, 12, 0.5),  # more than 3 s after 2 s: another tube
        ("v", 2.0, 0, 80, 0.6),
        ("v", 1.0, -1, 12, 0.9),  # no person id
        ("u", 1.0, 5, 12, 0.8),
    ],
    columns=["video", "timestamp", "person_id", "action_id", "score"],
)


def test_one_tube_per_person_and_action() -> None:
    tubes = tube_table(ROWS, min_score=0.3)
    spans = tubes[["video", "person_id", "action_id", "start_s", "end_s", "duration_s", "keyframes", "peak_s"]]
    assert spans.to_numpy().tolist() == [
        ["u", 5, 12, 1.0, 1.0, 1.0, 1, 1.0],
        ["v", 0, 12, 1.0, 2.0, 2.0, 2, 1.0],
        ["v", 0, 80, 2.0, 2.0, 1.0, 1, 2.0],
        ["v", 0, 12, 9.0, 9.0, 1.0, 1, 9.0],
    ]
    assert tubes["peak_score"].tolist() == [0.8, 0.9, 0.6, 0.5]
    assert tubes["score"].tolist() == pytest.approx([0.8, 0.8, 0.6, 0.5])


def test_tubes_of_boxes_without_actions() -> None:
    boxes = ROWS[ROWS["action_id"] == 12].drop(columns="action_id")
    tubes = tube_table(boxes)
    assert tubes[["person_id", "start_s", "end_s", "keyframes"]].to_numpy().tolist() == [
        [5, 1.0, 1.0, 1],
        [0, 1.0, 3.0, 3],
        [0, 9.0, 9.0, 1],
    ]


def test_a_csv_has_milliseconds_and_four_digits() -> None:
    tubes = tube_table(ROWS.assign(timestamp=ROWS["timestamp"] / 3, score=ROWS["score"] / 3), min_score=0.1)
    assert rounded_tubes(tubes)[["start_s", "score"]].iloc[0].tolist() == [0.333, 0.2667]


def test_a_tube_has_the_range_of_its_boxes() -> None:
    boxes = [[0.1, 0.3, 0.4, 0.9], [0.2, 0.1, 0.5, 0.8]]
    rows = ROWS[:2].assign(**dict(zip(["x1", "y1", "x2", "y2"], zip(*boxes, strict=True), strict=True)))
    assert tube_table(rows)[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == [[0.1, 0.1, 0.5, 0.9]]


def test_no_rows_give_no_tubes() -> None:
    assert tube_table(ROWS[:0]).empty


def test_the_gap_depends_on_the_videos_keyframe_interval() -> None:
    """Keyframes are 4 s apart in one video and 1 s in the other, where 4 s without the person end a tube."""
    times = [("wide", t) for t in (4.0, 8.0, 12.0)] + [("near", t) for t in (1.0, 2.0, 3.0, 7.0)]
    rows = pd.DataFrame(times, columns=["video", "timestamp"]).assign(person_id=0, score=0.9)
    assert tube_table(rows)[["video", "keyframes"]].to_numpy().tolist() == [["near", 3], ["near", 1], ["wide", 3]]


def table(rows: list[tuple[str, float, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["video", "timestamp", "person_id", "score"])


def test_smoothed_scores_by_hand() -> None:
    """A window of 2 s reaches 1 s before and after; the third keyframe is 1.5 s after the second."""
    rows = [("a", 2.0, 0, 0.6), ("a", 1.0, 0, 0.9), ("a", 3.5, 0, 0.1), ("a", 1.0, 1, 0.2), ("b", 1.0, 0, 0.3)]
    assert smooth_scores(table(rows), 2.0)["score"].tolist() == pytest.approx([0.75, 0.75, 0.1, 0.2, 0.3])
    assert smooth_scores(table(rows), 0.0)["score"].tolist() == pytest.approx([row[3] for row in rows])


def test_persons_without_an_id_are_not_smoothed() -> None:
    rows = [("a", 1.0, -1, 0.9), ("a", 2.0, -1, 0.1)]
    assert smooth_scores(table(rows), 10.0)["score"].tolist() == [0.9, 0.1]


def test_each_action_is_smoothed_by_itself() -> None:
    rows = table([("a", 1.0, 0, 0.8), ("a", 1.0, 0, 0.2), ("a", 2.0, 0, 0.4), ("a", 2.0, 0, 0.0)])
    smoothed = smooth_scores(rows.assign(action_id=[1, 2, 1, 2]), 2.0)
    assert smoothed["score"].tolist() == pytest.approx([0.6, 0.1, 0.6, 0.1])


def test_smoothing_equals_pandas_rolling_mean() -> None:
    rng = np.random.default_rng(0)
    rows = table([("a", 0.1 * k, 0, float(rng.random())) for k in range(50)])
    expected = rows["score"].rolling(5, center=True, min_periods=1).mean()
    shuffled = smooth_scores(rows.sample(frac=1, random_state=1), 0.4)
    assert shuffled["score"].sort_index().to_numpy() == pytest.approx(expected.to_numpy())


def test_an_empty_table_and_a_negative_window() -> None:
    assert smooth_scores(table([]), 2.0).empty
    with pytest.raises(ValueError, match="must be 0 s or more"):
        smooth_scores(table([]), -1.0)
