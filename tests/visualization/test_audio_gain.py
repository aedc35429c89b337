from __future__ import annotations

import math

import pytest

from avdet.visualization.audio_gain import WITHOUT_SOUND, beside
from avdet.visualization.person_timeline import detected_people
from tests.visualization.test_person_timeline import LABELS, LEFT, RIGHT, detections

HEARS = detections((1.0, LEFT, 1, 0.9, 0), (1.0, LEFT, 2, 0.2, 0), (1.0, RIGHT, 1, 0.1, 1), (2.0, RIGHT, 1, 0.6, 1))
DEAF = detections((1.0, LEFT, 2, 0.7, -1), (1.0, LEFT, 1, 0.4, -1), (1.0, RIGHT, 1, 0.05, -1))


def test_scores_of_the_same_box_and_action_stand_beside_one_another() -> None:
    joined = beside(HEARS, DEAF)
    assert joined["score"].tolist() == [0.9, 0.2, 0.1, 0.6]
    assert joined[WITHOUT_SOUND].tolist()[:3] == [0.4, 0.7, 0.05] and math.isnan(joined[WITHOUT_SOUND][3])
    assert list(joined.columns) == [*HEARS.columns, WITHOUT_SOUND]


def test_boxes_may_differ_in_the_digits_that_files_cut_off() -> None:
    nearly = DEAF.assign(x1=DEAF["x1"] + 1e-6, timestamp=DEAF["timestamp"] - 1e-7)
    assert beside(HEARS, nearly)[WITHOUT_SOUND].notna().sum() == 3


def test_what_sound_took_away_is_shown_too() -> None:
    timeline = detected_people(beside(HEARS, DEAF), label_map=LABELS, min_score=0.3, top=3)
    (left,) = timeline.at(1.0)
    assert left.lines == ("sit 0.90 (0.40)", "talk to 0.20 (0.70)") and left.bars == ((0.9, 0.4), (0.2, 0.7))
    (right,) = timeline.at(2.0)
    assert right.lines == ("sit 0.60 (0.00)",) and right.bars == ((0.6, 0.0),)


def test_other_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match="detect the actions twice with the same --boxes"):
        beside(HEARS, DEAF.assign(x1=0.0))
    assert beside(HEARS[:0], DEAF).empty
