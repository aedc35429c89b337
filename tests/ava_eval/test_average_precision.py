"""Average precision computed by hand."""

import numpy as np
import pytest

from ava_eval.average_precision import Curve, mean_ap, mean_ap_by_order, precision_recall_curves
from ava_eval.ties import TieRule, Ties


def curve(scores: list[float], is_tp: list[int], num_positives: int, ties: Ties = "expected") -> Curve:
    class_, positives = np.zeros(len(scores), dtype=int), np.array([num_positives])
    one = precision_recall_curves(class_, np.array(scores), np.array(is_tp, dtype=bool), positives, TieRule(ties))[0]
    assert one is not None
    return one


def test_four_detections_of_three_boxes() -> None:
    """True, false, true, false positive: the precision envelope is 1 up to recall 1/3 and 2/3 up to recall 2/3."""
    found = curve([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 3)
    assert found.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert found.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert found.ap == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3)


def test_envelope_raises_early_precision() -> None:
    """False, true, true positive: precision 0, 1/2, 2/3; the envelope is 2/3 at both true positives."""
    assert curve([0.9, 0.8, 0.7], [0, 1, 1], 2).ap == pytest.approx(2 / 3)


def test_rows_are_ranked_by_score() -> None:
    assert curve([0.6, 0.9, 0.7, 0.8], [0, 1, 1, 0], 3).ap == curve([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 3).ap


def test_equal_scores_are_one_point() -> None:
    """One true and one false positive at 0.9, in either order: precision is 1/2, and AP 1/2 or 1."""
    for is_tp in ([1, 0], [0, 1]):
        tied = curve([0.9, 0.9], is_tp, 1)
        assert (tied.score.tolist(), tied.precision.tolist(), tied.recall.tolist()) == ([0.9], [0.5], [1.0])
        assert tied.ap == 0.75
        assert set(tied.ap_by_order.tolist()) == {0.5, 1.0}
        assert [curve([0.9, 0.9], is_tp, 1, ties).ap for ties in ("worst", "best")] == [0.5, 1.0]


def test_worst_and_best_order_of_each_tie() -> None:
    """Ties of one true and two false positives, then of one and one; the second true positive has the envelope."""
    scores, is_tp = [0.9, 0.9, 0.9, 0.8, 0.8], [0, 1, 0, 0, 1]
    assert curve(scores, is_tp, 2, "worst").ap == pytest.approx((2 / 5 + 2 / 5) / 2)
    assert curve(scores, is_tp, 2, "best").ap == pytest.approx((1 + 2 / 4) / 2)


def test_classes_have_separate_curves() -> None:
    class_, score = np.array([1, 0, 1, 3]), np.array([0.1, 0.2, 0.3, 0.4])
    found = precision_recall_curves(class_, score, np.array([True, True, False, False]), np.array([1, 1, 2, 0]))
    assert [None if one is None else one.ap for one in found] == [1.0, 0.5, 0.0, None]


def test_no_detections_and_no_ground_truth() -> None:
    nothing = np.zeros(0, dtype=int)
    found = precision_recall_curves(nothing, np.zeros(0), np.zeros(0, dtype=bool), np.array([2, 0]))
    assert found[0] is not None
    assert found[0].ap == 0.0
    assert found[1] is None


def test_mean_ap() -> None:
    assert mean_ap([curve([0.9], [1], 1), None, curve([0.9], [0], 1)]) == 0.5
    assert mean_ap([None]) is None


def test_mean_ap_by_order() -> None:
    """A class without mixed ties has the same AP in every order."""
    tied, certain = curve([0.9, 0.9], [0, 1], 1), curve([0.9, 0.8], [0, 1], 1)
    assert mean_ap_by_order([tied, None, certain]) == pytest.approx((tied.ap_by_order + 0.5) / 2)
    assert mean_ap_by_order([None]).size == 0
