from __future__ import annotations

import pytest

from avdet.visualization.labelled_person import Action, LabelledPerson
from avdet.visualization.person_timeline import (
    Overlay,
    PersonTimeline,
    annotated_persons,
    count_outside,
    detected_persons,
    explain_all_outside,
    explain_nothing_drawn,
    rows_of_video,
    short_names,
)
from tests.visualization.tables import LABELS, LEFT, RIGHT, Box, detections, ground_truth, names_and_scores

NO_BOX = (float("nan"),) * 4


def test_a_detection_is_shown_for_half_an_interval_before_and_after() -> None:
    table = detections((2.0, LEFT, 1, 0.9, 7), (2.5, LEFT, 2, 0.8, 7), (3.0, LEFT, 3, 0.7, 7), (6.0, LEFT, 1, 0.6, 7))
    timeline = detected_persons(table, LABELS)
    assert timeline.interval_s == 0.5
    times_s = (1.74, 1.76, 2.24, 2.26, 2.8, 3.2, 3.3, 5.8, 6.25, 6.26)
    shown = {time_s: [names_and_scores(person) for person in timeline.tracks.at(time_s)] for time_s in times_s}
    assert shown[1.74] == shown[3.3] == shown[6.26] == []
    assert shown[1.76] == shown[2.24] == [[("sit", 0.9)]]
    assert shown[2.26] == [[("talk to", 0.8)]]
    assert shown[2.8] == shown[3.2] == [[("jump", 0.7)]]
    assert shown[5.8] == shown[6.25] == [[("sit", 0.6)]]


def test_the_best_actions_of_each_person_are_drawn() -> None:
    table = detections(
        (1.0, RIGHT, 1, 0.31, 4),
        (1.0, LEFT, 1, 0.5, -1),
        (1.0, RIGHT, 2, 0.9, 4),
        (1.0, RIGHT, 3, 0.6, 4),
        (1.0, (0.4, 0.1, 0.6, 0.9), 1, 0.29, 5),
    )
    overlay = Overlay(detected_persons(table, {2: "talk to"}), min_score=0.3, top_k=2)
    assert overlay.persons_at(1.4) == [
        LabelledPerson(LEFT, -1, (Action(1, "action 1", 0.5),)),
        LabelledPerson((0.4, 0.1, 0.6, 0.9), 5, ()),
        LabelledPerson(RIGHT, 4, (Action(2, "talk to", 0.9), Action(3, "action 3", 0.6))),
    ]


def test_a_keyframe_below_the_threshold_has_no_actions() -> None:
    table = detections((1.0, LEFT, 1, 0.9, 0), (2.0, LEFT, 1, 0.1, 0), (3.0, LEFT, 1, 0.9, 0))
    overlay = Overlay(detected_persons(table, LABELS))
    assert overlay.detections.interval_s == 1.0
    shown = [overlay.persons_at(time_s) for time_s in (1.4, 1.6, 2.0, 2.4, 2.6)]
    assert [[len(person.actions) for person in persons] for persons in shown] == [[1], [0], [0], [0], [1]]


def test_missing_keyframes_do_not_lengthen_the_interval() -> None:
    """One keyframe per second, with persons only at 0, 1, 4, 9 and 14 s."""
    timeline = detected_persons(detections(*[(time_s, LEFT, 1, 0.9, 0) for time_s in (0.0, 1.0, 4.0, 9.0, 14.0)]))
    assert [len(timeline.tracks.at(time_s)) for time_s in (1.4, 1.6, 3.4, 3.6, 9.6, 13.4)] == [1, 0, 0, 1, 0, 0]


def test_ground_truth_has_all_actions_and_keyframes_without_persons() -> None:
    table = ground_truth((1.0, LEFT, 1, 7), (1.0, LEFT, 3, 7), (2.0, NO_BOX, 0, -1))
    overlay = Overlay(detected_persons(detections()), annotated_persons(table, LABELS), top_k=1)
    (person,) = overlay.persons_at(1.2)
    assert person == LabelledPerson(LEFT, 7, (Action(1, "sit", 1.0), Action(3, "jump", 1.0)), is_ground_truth=True)
    assert not overlay.persons_at(1.6)


def test_an_empty_table_shows_no_person() -> None:
    assert not PersonTimeline({}).tracks.at(0.0)
    assert not detected_persons(detections(), LABELS).tracks.at(1.0)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "nothing is drawn: there are no detections for this video"),
        (
            [(2.0, LEFT, 1, 0.27, 0), (3.0, LEFT, 1, 0.2, 0)],
            "no action is drawn: no score reaches 0.3; the highest is 0.27",
        ),
        (
            [(902.0, LEFT, 1, 0.9, 0), (903.0, LEFT, 1, 0.9, 0)],
            "nothing is drawn: its detections are at 902 to 903 s of the video, which lasts 10.0 s; times are in "
            "seconds; if the video was cut out of a longer one, give the second at which it begins",
        ),
    ],
)
def test_the_reason_why_nothing_is_drawn(rows: list[tuple[float, Box, int, float, int]], sentence: str) -> None:
    overlay = Overlay(detected_persons(detections(*rows), LABELS))
    assert explain_nothing_drawn(overlay, 0.0, 10.0) == sentence


def test_rows_outside_the_video_are_counted() -> None:
    times_s = [-0.6, -0.5, 0.5, 1.5, 2.5, 10.5, 10.6]
    assert count_outside(times_s, duration_s=10.0) == 4  # the interval is 0.1 s, so 0.05 s are allowed
    assert explain_all_outside(times_s, duration_s=10.0) is None
    assert explain_all_outside([], duration_s=10.0) is None


def test_rows_of_a_video_that_has_none() -> None:
    table = detections((902.0, LEFT, 1, 0.9, 0)).assign(video="long")
    assert rows_of_video(table, "long", 901.5, "detections")["timestamp"].tolist() == [0.5]
    with pytest.raises(ValueError, match="the detections have no row for 'clip', only for long"):
        rows_of_video(table, "clip", 0.0, "detections")


def test_names_lose_their_brackets_unless_two_become_equal() -> None:
    names = {1: "talk to (e.g., self, a person)", 2: "watch (a person)", 3: "watch (e.g., TV)", 4: "sit", 5: "(odd)"}
    assert short_names(names) == {1: "talk to", 2: "watch (a person)", 3: "watch (e.g., TV)", 4: "sit", 5: "(odd)"}


def test_a_part_of_the_video_without_a_person() -> None:
    overlay = Overlay(detected_persons(detections((1.0, LEFT, 1, 0.9, 0)), LABELS))
    assert explain_nothing_drawn(overlay, 4.0, 8.0) == "nothing is drawn: there is no person from 4 to 8 s"


def test_rows_below_the_minimum_are_dropped_but_each_persons_best() -> None:
    table = detections((1.0, LEFT, 1, 0.1, 0), (1.0, LEFT, 2, 0.2, 0), (1.0, RIGHT, 1, 0.4, 1), (1.0, RIGHT, 2, 0.3, 1))
    persons = detected_persons(table.assign(score_without_audio=[0.35, 0.0, 0.0, 0.0]), LABELS, 0.3).persons[1.0]
    assert [[action.name for action in person.actions] for person in persons] == [["sit"], ["sit", "talk to"]]
    assert not detected_persons(table[:0], LABELS, 0.3).persons
