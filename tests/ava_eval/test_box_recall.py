"""Persons covered, whatever they do."""

from __future__ import annotations

from ava_eval import evaluate
from ava_eval.box_recall import BoxRecall, box_recall
from tests.ava_eval.random_tables import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.slow_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)


def test_persons_count_once_and_classes_do_not_matter() -> None:
    """Ann, of two classes, is covered exactly by boxes of other classes; Ben by 0.8; nobody looks at second 2."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, ANN, 4), ("v", 1, BEN, 3), ("v", 2, BEN, 3)]
    found: list[DetectionRow] = [
        ("v", 1, ANN, 1, 0.9),
        ("v", 1, ANN, 77, 0.9),
        ("v", 1, (0.6, 0.0, 1.0, 0.8), 3, 0.1),
        ("v", 3, BEN, 3, 0.9),
    ]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert box_recall(result) == BoxRecall(3, 2, {0.5: 2 / 3, 0.75: 2 / 3, 0.9: 1 / 3})


def test_rows_beyond_the_best_50_are_boxes_too() -> None:
    found: list[DetectionRow] = [("v", 1, BEN, 1, 0.9 + i / 1000) for i in range(50)]
    result = evaluate(truth_table([("v", 1, ANN, 3)]), detection_table([("v", 1, ANN, 3, 0.1), *found]), LABEL_MAP)
    assert result.mean_ap == 0.0
    assert box_recall(result, (0.5,)) == BoxRecall(1, 2, {0.5: 1.0})


def test_nothing_to_cover_and_nothing_that_covers() -> None:
    found = detection_table([("v", 1, ANN, 3, 0.1)])
    assert box_recall(evaluate(truth_table([("v", 1, None, 0)]), found, LABEL_MAP)) is None
    nothing = evaluate(truth_table([("v", 1, ANN, 3)]), detection_table([]), LABEL_MAP)
    assert box_recall(nothing, (0.5,)) == BoxRecall(1, 0, {0.5: 0.0})
