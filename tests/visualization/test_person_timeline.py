from __future__ import annotations

import pandas as pd
import pytest

from avdet.visualization.person_timeline import (
    ShownPerson,
    Timeline,
    detected_people,
    short_names,
    true_people,
    why_nothing_is_shown,
)

LABELS = {1: "sit", 2: "talk to", 3: "jump"}
LEFT, RIGHT = (0.1, 0.2, 0.4, 0.9), (0.6, 0.2, 0.9, 0.9)


def detections(*rows: tuple[float, tuple[float, float, float, float], int, float, int]) -> pd.DataFrame:
    columns = ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]
    return pd.DataFrame([("clip", t, *box, *rest) for t, box, *rest in rows], columns=columns)


def test_a_detection_is_shown_for_half_a_keyframe_to_either_side() -> None:
    table = detections((2.0, LEFT, 1, 0.9, 7), (2.5, LEFT, 2, 0.8, 7), (3.0, LEFT, 3, 0.7, 7), (6.0, LEFT, 1, 0.6, 7))
    timeline = detected_people(table, label_map=LABELS, min_score=0.3, top=3)
    assert timeline.spacing_s == 0.5
    shown = {t: [p.lines for p in timeline.at(t)] for t in (1.74, 1.76, 2.24, 2.26, 2.8, 3.2, 3.3, 5.8, 6.25, 6.26)}
    assert shown[1.74] == shown[3.3] == shown[6.26] == []
    assert shown[1.76] == shown[2.24] == [("sit 0.90",)]
    assert shown[2.26] == [("talk to 0.80",)]
    assert shown[2.8] == shown[3.2] == [("jump 0.70",)]
    assert shown[5.8] == shown[6.25] == [("sit 0.60",)]


def test_each_person_has_its_best_actions_and_those_without_are_left_out() -> None:
    table = detections(
        (1.0, RIGHT, 1, 0.31, 4),
        (1.0, LEFT, 1, 0.5, -1),
        (1.0, RIGHT, 2, 0.9, 4),
        (1.0, RIGHT, 3, 0.6, 4),
        (1.0, (0.4, 0.1, 0.6, 0.9), 1, 0.29, 5),
    )
    timeline = detected_people(table, label_map={2: "talk to"}, min_score=0.3, top=2)
    assert list(timeline.at(1.4)) == [
        ShownPerson(LEFT, -1, ("action 1 0.50",)),
        ShownPerson(RIGHT, 4, ("talk to 0.90", "action 3 0.60")),
    ]


def test_a_keyframe_below_the_threshold_shows_nobody_else() -> None:
    table = detections((1.0, LEFT, 1, 0.9, 0), (2.0, LEFT, 1, 0.1, 0), (3.0, LEFT, 1, 0.9, 0))
    timeline = detected_people(table, label_map=LABELS, min_score=0.3, top=3)
    assert timeline.spacing_s == 1.0
    assert [len(timeline.at(t)) for t in (1.4, 1.6, 2.0, 2.4, 2.6)] == [1, 0, 0, 0, 1]


def test_keyframes_without_people_do_not_lengthen_the_others() -> None:
    """Somebody is there at 0, 1, 4, 9 and 14 s of a keyframe a second."""
    table = detections(*[(time_s, LEFT, 1, 0.9, 0) for time_s in (0.0, 1.0, 4.0, 9.0, 14.0)])
    timeline = detected_people(table, label_map=LABELS, min_score=0.3, top=3)
    assert [len(timeline.at(t)) for t in (1.4, 1.6, 3.4, 3.6, 9.6, 13.4)] == [1, 0, 0, 1, 0, 0]


def test_ground_truth_has_all_actions_and_empty_keyframes() -> None:
    table = pd.DataFrame(
        [("clip", 1.0, *LEFT, 1, 7), ("clip", 1.0, *LEFT, 3, 7), ("clip", 2.0, *[float("nan")] * 4, 0, -1)],
        columns=["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"],
    )
    timeline = true_people(table, label_map=LABELS)
    assert list(timeline.at(1.2)) == [ShownPerson(LEFT, 7, ("sit", "jump"), is_truth=True)]
    assert not timeline.at(1.6)


def test_an_empty_table_shows_nothing() -> None:
    assert not Timeline({}, []).at(0.0)
    timeline = detected_people(detections(), label_map=LABELS, min_score=0.3, top=3)
    assert not timeline.at(1.0)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "nothing is drawn: there are no detections for this video"),
        ([(2.0, LEFT, 1, 0.27, 0), (3.0, LEFT, 1, 0.2, 0)], "nothing is drawn: no score over 0.3; highest 0.27"),
        (
            [(902.0, LEFT, 1, 0.9, 0), (903.0, LEFT, 1, 0.9, 0)],
            "nothing is drawn: its detections are at 902 to 903 s of the video, which lasts 10.0 s; times are "
            "seconds, and if it was cut out of a longer one, give the second at which it begins",
        ),
    ],
)
def test_why_nothing_is_shown(
    rows: list[tuple[float, tuple[float, float, float, float], int, float, int]], sentence: str
) -> None:
    table = detections(*rows)
    timeline = detected_people(table, label_map=LABELS, min_score=0.3, top=3)
    assert why_nothing_is_shown(table, timeline, min_score=0.3, duration_s=10.0) == sentence


def test_names_lose_their_brackets_unless_two_become_one() -> None:
    names = {1: "talk to (e.g., self, a person)", 2: "watch (a person)", 3: "watch (e.g., TV)", 4: "sit", 5: "(odd)"}
    assert short_names(names) == {1: "talk to", 2: "watch (a person)", 3: "watch (e.g., TV)", 4: "sit", 5: "(odd)"}
