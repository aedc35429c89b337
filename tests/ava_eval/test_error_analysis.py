"""One error of each type, fixed by hand."""

from __future__ import annotations

import pytest

from ava_eval import PROTOCOLS, evaluate
from ava_eval.error_analysis import ERROR_TYPES, ErrorAnalysis, analyse_errors
from ava_eval.matching import true_positives
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, random_case, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)
BETWEEN: Box = (0.42, 0.0, 0.58, 1.0)


def analyse(truth: list[TruthRow], found: list[DetectionRow]) -> ErrorAnalysis:
    return analyse_errors(evaluate(truth_table(truth), detection_table(found), LABEL_MAP))


def only(error_type: str, count: int = 1) -> dict[str, int]:
    return {name: count if name == error_type else 0 for name in ERROR_TYPES}


def test_duplicate() -> None:
    """AP is 1/2 + 1/2 x 2/3 with the duplicate between two true positives; without it 1."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 3, 0.9), ("v", 1, ANN, 3, 0.8), ("v", 1, BEN, 3, 0.7)]
    errors = analyse(truth, found)
    assert errors.counts == only("duplicate")
    assert errors.fixed_mean_ap == pytest.approx({**dict.fromkeys(ERROR_TYPES, 5 / 6), "duplicate": 1.0})


def test_background() -> None:
    truth: list[TruthRow] = [("v", 1, ANN, 3)]
    found: list[DetectionRow] = [("v", 1, BETWEEN, 3, 0.9), ("v", 1, ANN, 3, 0.8)]
    errors = analyse(truth, found)
    assert errors.counts == only("background")
    assert errors.fixed_mean_ap == pytest.approx({**dict.fromkeys(ERROR_TYPES, 0.5), "background": 1.0})


def test_classification_is_fixed_to_the_class_not_found() -> None:
    """Ann stands and walks; "walk" is found, and "sit" becomes "stand": its AP changes from 0 to 1, of two classes."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, ANN, 4)]
    found: list[DetectionRow] = [("v", 1, ANN, 1, 0.9), ("v", 1, ANN, 4, 0.8)]
    errors = analyse(truth, found)
    assert errors.counts == only("classification")
    assert errors.fixed_mean_ap == pytest.approx({**dict.fromkeys(ERROR_TYPES, 0.5), "classification": 1.0})


def test_classification_is_removed_if_all_classes_are_found() -> None:
    """Ann's only class, "walk", is found; "stand" on her is a false positive ranked before the true one on Ben."""
    truth: list[TruthRow] = [("v", 1, ANN, 4), ("v", 1, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 4, 0.9), ("v", 1, ANN, 3, 0.8), ("v", 1, BEN, 3, 0.7)]
    errors = analyse(truth, found)
    assert errors.counts == only("classification")
    assert errors.fixed_mean_ap == pytest.approx({**dict.fromkeys(ERROR_TYPES, 0.75), "classification": 1.0})


def test_localization_is_moved_onto_the_person() -> None:
    """A box of a third of Ann is moved onto her; a second one finds no free box and is removed."""
    third: Box = (0.0, 0.0, 0.4, 1 / 3)
    truth: list[TruthRow] = [("v", 1, ANN, 3)]
    errors = analyse(truth, [("v", 1, third, 3, 0.9), ("v", 1, third, 3, 0.8)])
    assert errors.counts == only("localization", 2)
    assert errors.fixed_mean_ap == pytest.approx({**dict.fromkeys(ERROR_TYPES, 0.0), "localization": 1.0})


def test_missed() -> None:
    """No detection is near Ben; with him found first, recall is 1."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, BEN, 3)]
    errors = analyse(truth, [("v", 1, ANN, 3, 0.9)])
    assert errors.counts == only("missed")
    assert errors.fixed_mean_ap == pytest.approx({**dict.fromkeys(ERROR_TYPES, 0.5), "missed": 1.0})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_false_positive_has_one_type_and_fixing_never_lowers_map(protocol: str) -> None:
    for seed in range(20):
        truth, detections, excluded = random_case(seed).tables()
        result = evaluate(truth, detections, LABEL_MAP, excluded=excluded, protocol=protocol)
        errors = analyse_errors(result)
        num_tp = int(true_positives(result.selection, result.match, result.iou).sum())
        num_fp = sum(count for name, count in errors.counts.items() if name != "missed")
        assert num_tp + num_fp == result.counts["detections_scored"]
        assert num_tp + errors.counts["missed"] <= result.counts["ground_truth_boxes"]
        if result.mean_ap is not None:
            assert all(fixed is not None and fixed >= result.mean_ap - 1e-12 for fixed in errors.fixed_mean_ap.values())
