from __future__ import annotations

import pandas as pd
import pytest

from avdet.visualization.person_timeline import annotated_persons, detected_persons
from avdet.visualization.player.tracks import Track, TrackSet, action_names, detection_tracks, ground_truth_tracks
from tests.visualization.tables import LEFT, RIGHT, detections, ground_truth

CLASSES = {1: "sit", 4: "talk"}


def track_set(table: pd.DataFrame) -> TrackSet:
    return detection_tracks(detected_persons(table, CLASSES), CLASSES)


def test_tracks_have_boxes_by_time_and_scores_highest_first() -> None:
    result = track_set(
        detections((2.0, LEFT, 1, 0.5, 3), (1.0, LEFT, 1, 0.2, 3), (1.0, LEFT, 4, 0.7, 3), (1.0, RIGHT, 1, 0.9, 8))
    )
    assert result.half_interval_s == 0.5
    assert result.tracks == [
        Track(id=3, times=[1.0, 2.0], boxes=[[*LEFT], [*LEFT]], scores=[[[1, 0.7], [0, 0.2]], [[0, 0.5]]]),
        Track(id=8, times=[1.0], boxes=[[*RIGHT]], scores=[[[0, 0.9]]]),
    ]


def test_persons_without_ids_are_linked() -> None:
    tracks = track_set(detections(*((t, box, 1, 0.9, -1) for t in (1.0, 2.0, 3.0) for box in (LEFT, RIGHT)))).tracks
    assert [track["times"] for track in tracks] == [[1.0, 2.0, 3.0]] * 2
    assert [track["boxes"] for track in tracks] == [[[*LEFT]] * 3, [[*RIGHT]] * 3]


def test_where_some_persons_have_ids_the_others_are_not_linked() -> None:
    table = detections((1.0, LEFT, 1, 0.9, 5), (1.0, RIGHT, 1, 0.9, -1), (2.0, RIGHT, 1, 0.9, -1))
    assert [track["id"] for track in track_set(table).tracks] == [5, 6, 7]


def test_ids_may_be_int32() -> None:
    table = detections((1.0, LEFT, 1, 0.9, 7), (1.0, RIGHT, 1, 0.8, -1)).astype({"person_id": "int32"})
    assert {track["id"] for track in track_set(table).tracks} == {7, 8}


def test_scores_below_every_threshold_are_left_out() -> None:
    table = detections((1.0, LEFT, 1, 0.019, 0), (1.5, LEFT, 1, 0.02, 0))
    (track,) = track_set(table).tracks
    assert track["times"] == [1.5]
    assert track_set(table[:0]).tracks == []


def test_where_all_scores_are_low_the_highest_is_kept() -> None:
    (track,) = track_set(detections((1.0, LEFT, 1, 0.012, 0), (1.5, LEFT, 1, 0.01, 0))).tracks
    assert track["scores"] == [[[0, 0.012]]]


def test_scores_are_sorted_with_audio_where_both_are_known() -> None:
    table = detections((1.0, LEFT, 1, 0.2, 0), (1.0, LEFT, 4, 0.3, 0)).assign(score_without_audio=[0.9, 0.1])
    (track,) = track_set(table).tracks
    assert track["scores"] == [[[1, 0.3, 0.1], [0, 0.2, 0.9]]]


def test_keyframes_without_persons_count_for_the_interval() -> None:
    table = ground_truth(*((t, LEFT, 1 if t == 1.0 else 0, 7) for t in (1.0, 1.25, 1.5)))
    result = ground_truth_tracks(annotated_persons(table, CLASSES), CLASSES)
    assert result.half_interval_s == pytest.approx(0.125)
    assert [(track["id"], track["scores"]) for track in result.tracks] == [(7, [[[0, 1.0]]])]


def test_action_names_are_those_that_occur() -> None:
    timeline = detected_persons(detections((1.0, LEFT, 90, 0.5, 3), (1.0, LEFT, 4, 0.5, 3)), CLASSES)
    assert list(action_names([timeline]).items()) == [(4, "talk"), (90, "action 90")]
