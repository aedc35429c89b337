"""Who is mistaken for what, on paper."""

from __future__ import annotations

from ava_eval import evaluate
from ava_eval.confusion import Confusion, confusion_matrix, confusions
from tests.ava_eval.random_tables import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.slow_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)


def test_both_directions_are_counted() -> None:
    """In seconds 1 and 2 sitting Ann is said to stand; in second 3 standing Ben is said to sit."""
    truth: list[TruthRow] = [("v", 1, ANN, 1), ("v", 2, ANN, 1), ("v", 3, BEN, 3), ("v", 4, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 3, 0.9), ("v", 2, ANN, 3, 0.8), ("v", 3, BEN, 1, 0.7)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert confusion_matrix(result)[:2, :2].tolist() == [[0, 1], [2, 0]]
    assert confusions(result) == [Confusion("sit", "stand", first_for_second=1, second_for_first=2)]


def test_a_second_true_class_that_was_found_is_no_confusion() -> None:
    """Ann walks, and walking was found; that she was said to stand too takes nothing for anything."""
    truth: list[TruthRow] = [("v", 1, ANN, 4), ("v", 2, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 4, 0.9), ("v", 1, ANN, 3, 0.8)]
    assert confusions(evaluate(truth_table(truth), detection_table(found), LABEL_MAP)) == []


def test_only_the_best_scores_count() -> None:
    """Two boxes stand, so the two best "stand" are looked at; the third is a low score as every detector has many."""
    truth: list[TruthRow] = [("v", 1, ANN, 1), ("v", 2, BEN, 3), ("v", 3, BEN, 3)]
    found: list[DetectionRow] = [("v", 2, BEN, 3, 0.9), ("v", 3, BEN, 3, 0.8), ("v", 1, ANN, 3, 0.1)]
    assert confusions(evaluate(truth_table(truth), detection_table(found), LABEL_MAP)) == []


def test_at_most_so_many_pairs() -> None:
    truth: list[TruthRow] = [("v", 1, ANN, 1), ("v", 1, BEN, 3), ("v", 2, BEN, 4)]
    found: list[DetectionRow] = [("v", 1, ANN, 3, 0.9), ("v", 1, BEN, 4, 0.8), ("v", 2, BEN, 1, 0.8)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert len(confusions(result)) == 3
    assert len(confusions(result, most=2)) == 2
