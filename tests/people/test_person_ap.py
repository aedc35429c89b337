from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdet.people.person_ap import score_people
from tests.people.scenes import people

A, B, C = (0.0, 0.0, 0.2, 0.5), (0.4, 0.0, 0.6, 0.5), (0.7, 0.5, 0.9, 1.0)


def test_four_boxes_on_paper() -> None:
    """By falling score right, wrong, right: precision 1 up to recall 1/2, then 2/3; COCO reads it at 101 recalls."""
    scores = score_people(
        [people(A), people(B)], [people(A, C, scores=[0.9, 0.8]), people(B, scores=[0.7])], threshold=0.75
    )
    assert scores.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert scores.ap == pytest.approx(scores.ap50)
    assert (scores.recall, scores.precision) == (0.5, 0.5)
    assert (scores.people, scores.boxes) == (2, 2)


def test_a_second_box_on_a_person_is_wrong() -> None:
    scores = score_people([people(A)], [people(A, A, scores=[0.9, 0.8])], threshold=0.5)
    assert scores.ap50 == pytest.approx(1.0)
    assert (scores.recall, scores.precision) == (1.0, 0.5)


def test_overlap_counts() -> None:
    """IoU 0.4 / 0.6 = 2/3: right at 0.50, 0.55, 0.60 and 0.65, wrong at the six from 0.70 to 0.95."""
    shifted = (0.0, 0.1, 0.2, 0.6)
    scores = score_people([people(A)], [people(shifted, scores=[0.9])], threshold=0.5)
    assert scores.ap50 == pytest.approx(1.0)
    assert scores.ap == pytest.approx(0.4)


def test_nobody_there_and_nobody_found() -> None:
    empty = score_people([people()], [people()], threshold=0.5)
    assert (empty.ap50, empty.recall, empty.precision) == (None, None, None)
    false_alarm = score_people([people()], [people(A, scores=[0.9])], threshold=0.5)
    assert (false_alarm.ap50, false_alarm.precision) == (None, 0.0)
    missed = score_people([people(A)], [people()], threshold=0.5)
    assert (missed.ap50, missed.recall, missed.precision) == (0.0, 0.0, None)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.1, 1.0)), min_size=1, max_size=8))
def test_recall_and_precision_are_counts(pictures: list[tuple[bool, bool, float]]) -> None:
    """Each picture has one person, who may be found, and perhaps a false alarm, at one score."""
    truth = [people(A)] * len(pictures)
    found = [people(*[A] * hit, *[C] * false, scores=[score] * (hit + false)) for hit, false, score in pictures]
    scores = score_people(truth, found, threshold=0.5)
    kept = [
        (hit, false) for hit, false, score in zip(*zip(*pictures, strict=True), strict=True) if float_32(score) >= 0.5
    ]
    hits, alarms = sum(hit for hit, _ in kept), sum(false for _, false in kept)
    assert scores.recall == pytest.approx(hits / len(pictures))
    assert scores.precision == (pytest.approx(hits / (hits + alarms)) if kept and hits + alarms else None)


def float_32(value: float) -> float:
    return float(people(A, scores=[value]).scores[0])
