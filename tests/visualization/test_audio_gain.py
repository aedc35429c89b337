from __future__ import annotations

import math

import pytest

from avdet.visualization.audio_gain import SCORE_WITHOUT_AUDIO, add_scores_without_audio
from avdet.visualization.labelled_person import Action
from avdet.visualization.person_timeline import Overlay, detected_persons
from tests.visualization.tables import LABELS, LEFT, RIGHT, detections

AUDIOVISUAL = detections(
    (1.0, LEFT, 1, 0.9, 0), (1.0, LEFT, 2, 0.2, 0), (1.0, RIGHT, 1, 0.1, 1), (2.0, RIGHT, 1, 0.6, 1)
)
VIDEO_ONLY = detections((1.0, LEFT, 2, 0.7, -1), (1.0, LEFT, 1, 0.4, -1), (1.0, RIGHT, 1, 0.05, -1))


def test_scores_are_matched_by_box_and_action() -> None:
    joined = add_scores_without_audio(AUDIOVISUAL, VIDEO_ONLY)
    assert joined["score"].tolist() == [0.9, 0.2, 0.1, 0.6]
    assert joined[SCORE_WITHOUT_AUDIO].tolist()[:3] == [0.4, 0.7, 0.05]
    assert math.isnan(joined[SCORE_WITHOUT_AUDIO][3])
    assert list(joined.columns) == [*AUDIOVISUAL.columns, SCORE_WITHOUT_AUDIO]


def test_boxes_may_differ_by_the_rounding_of_files() -> None:
    rounded = VIDEO_ONLY.assign(x1=VIDEO_ONLY["x1"] + 1e-6, timestamp=VIDEO_ONLY["timestamp"] - 1e-7)
    assert add_scores_without_audio(AUDIOVISUAL, rounded)[SCORE_WITHOUT_AUDIO].notna().sum() == 3


def test_actions_that_the_audio_weakens_are_shown_too() -> None:
    overlay = Overlay(detected_persons(add_scores_without_audio(AUDIOVISUAL, VIDEO_ONLY), LABELS))
    left, *_ = overlay.persons_at(1.0)
    assert left.actions == (Action(1, "sit", 0.9, 0.4), Action(2, "talk to", 0.2, 0.7))
    *_, right = overlay.persons_at(2.0)
    assert right.actions == (Action(1, "sit", 0.6, 0.0),)


def test_other_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match="make both with the same --boxes file"):
        add_scores_without_audio(AUDIOVISUAL, VIDEO_ONLY.assign(x1=0.0))
    assert add_scores_without_audio(AUDIOVISUAL[:0], VIDEO_ONLY).empty
