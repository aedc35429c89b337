"""Confused classes, by hand."""

from __future__ import annotations

from ava_eval import evaluate
from ava_eval.confusion import Confusion, confusion_matrix, confusions
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)


def test_both_directions_are_counted() -> None:
    """In seconds 1 and 2 Ann sits and is predicted to stand; in second 3 Ben stands and is predicted to sit."""
    truth: list[TruthRow] = [("v", 1, ANN, 1), ("v", 2, ANN, 1), ("v", 3, BEN, 3), ("v", 4, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 3, 0.9), ("v", 2, ANN, 3, 0.8), ("v", 3, BEN, 1, 0.7)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert confusion_matrix(result)[:2, :2].tolist() == [[0, 1], [2, 0]]
    assert confusions(result) == [Confusion("sit", "stand", first_for_second=1, second_for_first=2)]


def test_false_positive_on_a_found_person_is_no_confusion() -> None:
    """Ann walks, which is detected; the further prediction that she stands replaces no true class."""
    truth: list[TruthRow] = [("v", 1, ANN, 4), ("v", 2, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 4, 0.9), ("v", 1, ANN, 3, 0.8)]
    assert confusions(evaluate(truth_table(truth), detection_table(found), LABEL_MAP)) == []


def test_only_top_detections_count() -> None:
    """Two persons stand, so the top two "stand" detections count; the third has a low score."""
    truth: list[TruthRow] = [("v", 1, ANN, 1), ("v", 2, BEN, 3), ("v", 3, BEN, 3)]
    found: list[DetectionRow] = [("v", 2, BEN, 3, 0.9), ("v", 3, BEN, 3, 0.8), ("v", 1, ANN, 3, 0.1)]
    assert confusions(evaluate(truth_table(truth), detection_table(found), LABEL_MAP)) == []


def test_max_pairs() -> None:
    truth: list[TruthRow] = [("v", 1, ANN, 1), ("v", 1, BEN, 3), ("v", 2, BEN, 4)]
    found: list[DetectionRow] = [("v", 1, ANN, 3, 0.9), ("v", 1, BEN, 4, 0.8), ("v", 2, BEN, 1, 0.8)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert len(confusions(result)) == 3
    assert len(confusions(result, max_pairs=2)) == 2
