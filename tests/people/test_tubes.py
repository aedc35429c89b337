from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avdet.people.tubes import tube_table, write_tubes

ROWS = pd.DataFrame(
    [
        ("v", 1.0, 0, 12, 0.9),
        ("v", 2.0, 0, 12, 0.7),
        ("v", 3.0, 0, 12, 0.1),  # below the score: the tube ends at 2 s
        ("v", 9.0, 0, 12, 0.5),  # more than 3 s after 2 s: another tube
        ("v", 2.0, 0, 80, 0.6),
        ("v", 1.0, -1, 12, 0.9),  # nobody's
        ("u", 1.0, 5, 12, 0.8),
    ],
    columns=["video", "timestamp", "person_id", "action_id", "score"],
)


def test_a_row_a_person_and_what_they_do() -> None:
    tubes = tube_table(ROWS, min_score=0.3)
    assert tubes.columns.tolist() == ["video", "person_id", "action_id", "start_s", "end_s", "keyframes", "score"]
    assert tubes.drop(columns="score").to_numpy().tolist() == [
        ["u", 5, 12, 1.0, 1.0, 1],
        ["v", 0, 12, 1.0, 2.0, 2],
        ["v", 0, 80, 2.0, 2.0, 1],
        ["v", 0, 12, 9.0, 9.0, 1],
    ]
    assert tubes["score"].tolist() == pytest.approx([0.8, 0.8, 0.6, 0.5])


def test_people_alone() -> None:
    boxes = ROWS[ROWS["action_id"] == 12].drop(columns="action_id")
    tubes = tube_table(boxes)
    assert tubes[["person_id", "start_s", "end_s", "keyframes"]].to_numpy().tolist() == [
        [5, 1.0, 1.0, 1],
        [0, 1.0, 3.0, 3],
        [0, 9.0, 9.0, 1],
    ]


def test_written_with_names(tmp_path: Path) -> None:
    write_tubes(tube_table(ROWS, min_score=0.3), tmp_path / "tubes.csv", {12: "stand", 80: "watch"})
    lines = (tmp_path / "tubes.csv").read_text().splitlines()
    assert lines[0] == "video,person_id,action_id,start_s,end_s,keyframes,score,action"
    assert lines[2] == "v,0,12,1.0,2.0,2,0.8,stand"


def test_no_rows() -> None:
    assert tube_table(ROWS[:0]).empty


def test_each_video_has_its_own_usual_distance() -> None:
    """Keyframes 4 s apart in one, 1 s in the other, where 4 s without the person end a tube."""
    times = [("wide", t) for t in (4.0, 8.0, 12.0)] + [("near", t) for t in (1.0, 2.0, 3.0, 7.0)]
    rows = pd.DataFrame(times, columns=["video", "timestamp"]).assign(person_id=0, score=0.9)
    assert tube_table(rows)[["video", "keyframes"]].to_numpy().tolist() == [["near", 3], ["near", 1], ["wide", 3]]
