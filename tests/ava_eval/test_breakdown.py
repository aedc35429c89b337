"""Recall of person boxes regardless of class, by hand."""

from __future__ import annotations

from ava_eval import evaluate
from ava_eval.breakdown import BoxRecall, box_recall
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)


def test_persons_count_once_regardless_of_class() -> None:
    """Boxes of other classes cover Ann exactly and Ben with IoU 0.8; second 2 has no detections."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, ANN, 4), ("v", 1, BEN, 3), ("v", 2, BEN, 3)]
    found: list[DetectionRow] = [
        ("v", 1, ANN, 1, 0.9),
        ("v", 1, ANN, 77, 0.9),
        ("v", 1, (0.6, 0.0, 1.0, 0.8), 3, 0.1),
        ("v", 3, BEN, 3, 0.9),
    ]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert box_recall(result) == BoxRecall(3, 2, {0.5: 2 / 3, 0.75: 2 / 3, 0.9: 1 / 3})


def test_detections_beyond_the_top_50_count() -> None:
    found: list[DetectionRow] = [("v", 1, BEN, 1, 0.9 + i / 1000) for i in range(50)]
    result = evaluate(truth_table([("v", 1, ANN, 3)]), detection_table([("v", 1, ANN, 3, 0.1), *found]), LABEL_MAP)
    assert result.mean_ap == 0.0
    assert box_recall(result, (0.5,)) == BoxRecall(1, 2, {0.5: 1.0})


def test_no_ground_truth_and_no_detections() -> None:
    found = detection_table([("v", 1, ANN, 3, 0.1)])
    assert box_recall(evaluate(truth_table([("v", 1, None, 0)]), found, LABEL_MAP)) is None
    without_detections = evaluate(truth_table([("v", 1, ANN, 3)]), detection_table([]), LABEL_MAP)
    assert box_recall(without_detections, (0.5,)) == BoxRecall(1, 0, {0.5: 0.0})
