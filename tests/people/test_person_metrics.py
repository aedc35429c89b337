from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avdet.people.person_metrics import id_switches, person_metrics
from tests.people.scenes import person_boxes

LEFT, RIGHT = (0.1, 0.1, 0.3, 0.9), (0.6, 0.1, 0.8, 0.9)
A, B, C = (0.0, 0.0, 0.2, 0.5), (0.4, 0.0, 0.6, 0.5), (0.7, 0.5, 0.9, 1.0)


def test_ap_of_three_boxes_by_hand() -> None:
    """By descending score true, false, true: precision 1 up to recall 1/2, then 2/3; COCO samples 101 recalls."""
    metrics = person_metrics(
        [person_boxes(A), person_boxes(B)],
        [person_boxes(A, C, scores=[0.9, 0.8]), person_boxes(B, scores=[0.7])],
        threshold=0.75,
    )
    assert metrics.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert metrics.ap == pytest.approx(metrics.ap50)
    assert (metrics.recall, metrics.precision) == (0.5, 0.5)
    assert (metrics.persons, metrics.boxes) == (2, 2)


def test_a_second_box_on_a_person_is_a_false_positive() -> None:
    metrics = person_metrics([person_boxes(A)], [person_boxes(A, A, scores=[0.9, 0.8])], threshold=0.5)
    assert metrics.ap50 == pytest.approx(1.0)
    assert (metrics.recall, metrics.precision) == (1.0, 0.5)


def test_ap_over_iou_thresholds() -> None:
    """IoU 0.4 / 0.6 = 2/3: a match at 0.50, 0.55, 0.60 and 0.65, none at the six from 0.70 to 0.95."""
    shifted = (0.0, 0.1, 0.2, 0.6)
    metrics = person_metrics([person_boxes(A)], [person_boxes(shifted, scores=[0.9])], threshold=0.5)
    assert metrics.ap50 == pytest.approx(1.0)
    assert metrics.ap == pytest.approx(0.4)


def test_no_persons_and_no_boxes() -> None:
    empty = person_metrics([person_boxes()], [person_boxes()], threshold=0.5)
    assert (empty.ap50, empty.recall, empty.precision) == (None, None, None)
    false_positive = person_metrics([person_boxes()], [person_boxes(A, scores=[0.9])], threshold=0.5)
    assert (false_positive.ap50, false_positive.precision) == (None, 0.0)
    missed = person_metrics([person_boxes(A)], [person_boxes()], threshold=0.5)
    assert (missed.ap50, missed.recall, missed.precision) == (0.0, 0.0, None)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.1, 1.0)), min_size=1, max_size=8))
def test_recall_and_precision_are_counts(keyframes: list[tuple[bool, bool, float]]) -> None:
    """Each keyframe has one person, detected or not, and possibly a false positive, with the same score."""
    truth = [person_boxes(A)] * len(keyframes)
    found = [person_boxes(*[A] * hit, *[C] * false, scores=[score] * (hit + false)) for hit, false, score in keyframes]
    metrics = person_metrics(truth, found, threshold=0.5)
    kept = [
        (hit, false) for hit, false, score in zip(*zip(*keyframes, strict=True), strict=True) if float_32(score) >= 0.5
    ]
    hits, false_positives = sum(hit for hit, _ in kept), sum(false for _, false in kept)
    assert metrics.recall == pytest.approx(hits / len(keyframes))
    assert metrics.precision == (
        pytest.approx(hits / (hits + false_positives)) if kept and hits + false_positives else None
    )


def float_32(value: float) -> float:
    return float(person_boxes(A, scores=[value]).scores[0])


def test_swapped_ids_are_two_switches() -> None:
    truth = [person_boxes(LEFT, RIGHT, ids=[7, 8])] * 3
    found = [person_boxes(LEFT, RIGHT, ids=pair) for pair in ([0, 1], [1, 0], [1, 0])]
    assert id_switches(truth, found) == 2


def test_missed_unidentified_and_misplaced_persons_do_not_switch() -> None:
    truth = [person_boxes(LEFT, ids=[7])] * 4
    found = [
        person_boxes(LEFT, ids=[3]),
        person_boxes(),
        person_boxes(LEFT, RIGHT, ids=[-1, 5]),
        person_boxes(LEFT, ids=[3]),
    ]
    assert id_switches(truth, found) == 0


def test_persons_without_an_id_do_not_switch() -> None:
    """Boxes in AVA's form may have no ids; -1 is not an id."""
    truth = [person_boxes(LEFT, RIGHT, ids=[-1, -1])] * 2
    assert id_switches(truth, [person_boxes(LEFT, RIGHT, ids=[0, 1])] * 2) == 0


def test_a_new_id_after_a_gap_is_one_switch() -> None:
    truth = [person_boxes(LEFT, ids=[7])] * 3
    assert id_switches(truth, [person_boxes(LEFT, ids=[3]), person_boxes(), person_boxes(LEFT, ids=[4])]) == 1
