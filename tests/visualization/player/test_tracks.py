from __future__ import annotations

import pandas as pd
import pytest

from avdet.visualization.player.tracks import class_names, detected_group, true_group
from tests.visualization.test_person_timeline import LEFT, RIGHT, detections

CLASSES = {1: "sit", 4: "talk"}


def test_people_by_id_with_scores_from_the_highest_down() -> None:
    table = detections((2.0, LEFT, 1, 0.5, 3), (1.0, LEFT, 1, 0.2, 3), (1.0, LEFT, 4, 0.7, 3), (1.0, RIGHT, 1, 0.9, 8))
    group = detected_group(table, CLASSES)
    assert group.reach_s == 0.5
    assert group.tracks == [
        {"id": 3, "times": [1.0, 2.0], "boxes": [list(LEFT), list(LEFT)], "scores": [[[1, 0.7], [0, 0.2]], [[0, 0.5]]]},
        {"id": 8, "times": [1.0], "boxes": [list(RIGHT)], "scores": [[[0, 0.9]]]},
    ]


def test_people_without_ids_are_linked() -> None:
    table = detections(*((t, box, 1, 0.9, -1) for t in (1.0, 2.0, 3.0) for box in (LEFT, RIGHT)))
    tracks = detected_group(table, CLASSES).tracks
    assert [track["times"] for track in tracks] == [[1.0, 2.0, 3.0]] * 2
    assert [track["boxes"] for track in tracks] == [[list(LEFT)] * 3, [list(RIGHT)] * 3]


def test_where_some_have_ids_the_others_stay_alone() -> None:
    table = detections((1.0, LEFT, 1, 0.9, 5), (1.0, RIGHT, 1, 0.9, -1), (2.0, RIGHT, 1, 0.9, -1))
    assert [track["id"] for track in detected_group(table, CLASSES).tracks] == [5, 6, 7]


def test_tables_that_were_read_hold_int32() -> None:
    table = detections((1.0, LEFT, 1, 0.9, 7), (1.0, RIGHT, 1, 0.8, -1)).astype({"person_id": "int32"})
    assert {track["id"] for track in detected_group(table, {1: "sit"}).tracks} == {7, 8}


def test_scores_that_no_threshold_shows_stay_out_and_nothing_is_no_one() -> None:
    faint = detections((1.0, LEFT, 1, 0.019, 0), (1.5, LEFT, 1, 0.02, 0))
    (track,) = detected_group(faint, CLASSES).tracks
    assert track["times"] == [1.5]
    assert detected_group(faint[:0], CLASSES).tracks == []


def test_where_all_scores_are_faint_the_highest_can_be_told() -> None:
    (track,) = detected_group(detections((1.0, LEFT, 1, 0.012, 0), (1.5, LEFT, 1, 0.01, 0)), CLASSES).tracks
    assert track["scores"] == [[[0, 0.012]]]


def test_keyframes_without_people_have_a_say_in_the_distance() -> None:
    truth = pd.DataFrame(
        [("clip", t, *LEFT, 1 if t == 1.0 else 0, 7) for t in (1.0, 1.25, 1.5)],
        columns=["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"],
    )
    group = true_group(truth, CLASSES)
    assert group.reach_s == pytest.approx(0.125)
    assert [(track["id"], track["scores"]) for track in group.tracks] == [(7, [[[0, 1.0]]])]


def test_classes_are_those_that_occur() -> None:
    table = detections((1.0, LEFT, 4, 0.5, 3), (1.0, LEFT, 90, 0.5, 3))
    assert class_names([table], {1: "sit", 4: "talk"}) == {4: "talk", 90: "action 90"}
