"""Average precision worked out by hand."""

import numpy as np
import pytest

from ava_eval.ranking import Curve, curves


def curve(scores: list[float], hits: list[int], boxes: int) -> Curve:
    one = curves(np.zeros(len(scores), dtype=int), np.array(scores), np.array(hits, dtype=bool), np.array([boxes]))[0]
    assert one is not None
    return one


def test_four_detections_of_three_boxes() -> None:
    """Hit, miss, hit, miss: precision 1, 1/2, 2/3, 1/2; the envelope is 1 at recall 1/3 and 2/3 at recall 2/3."""
    found = curve([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 3)
    assert found.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert found.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert found.ap == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3)


def test_the_envelope_lifts_a_late_start() -> None:
    """Miss, hit, hit: precision 0, 1/2, 2/3; the envelope is 2/3 for both hits."""
    assert curve([0.9, 0.8, 0.7], [0, 1, 1], 2).ap == pytest.approx(2 / 3)


def test_order_comes_from_scores_alone() -> None:
    assert curve([0.6, 0.9, 0.7, 0.8], [0, 1, 1, 0], 3).ap == curve([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 3).ap


def test_equal_scores_enter_together() -> None:
    """One hit and one miss at 0.9, either way round: precision 1/2 when both are in."""
    for hits in ([1, 0], [0, 1]):
        tied = curve([0.9, 0.9], hits, 1)
        assert (tied.score.tolist(), tied.precision.tolist(), tied.recall.tolist()) == ([0.9], [0.5], [1.0])
        assert tied.ap == 0.5


def test_classes_are_ranked_apart() -> None:
    class_, score = np.array([1, 0, 1, 3]), np.array([0.1, 0.2, 0.3, 0.4])
    found = curves(class_, score, np.array([True, True, False, False]), np.array([1, 1, 2, 0]))
    assert [None if one is None else one.ap for one in found] == [1.0, 0.5, 0.0, None]


def test_nothing_found_and_nothing_to_find() -> None:
    nothing = np.zeros(0, dtype=int)
    found = curves(nothing, np.zeros(0), np.zeros(0, dtype=bool), np.array([2, 0]))
    assert found[0] is not None
    assert found[0].ap == 0.0
    assert found[1] is None
