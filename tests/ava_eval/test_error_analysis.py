"""One mistake of each kind, mended on paper."""

from __future__ import annotations

import pytest

from ava_eval import PROTOCOLS, evaluate
from ava_eval.error_analysis import KINDS, Mistakes, mistakes
from ava_eval.matching import true_positives
from tests.ava_eval.random_tables import LABEL_MAP, detection_table, random_world, truth_table
from tests.ava_eval.slow_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)
BETWEEN: Box = (0.42, 0.0, 0.58, 1.0)


def of(truth: list[TruthRow], found: list[DetectionRow]) -> Mistakes:
    return mistakes(evaluate(truth_table(truth), detection_table(found), LABEL_MAP))


def only(kind: str, count: int = 1) -> dict[str, int]:
    return {name: count if name == kind else 0 for name in KINDS}


def test_duplicate() -> None:
    """AP 1/2 + 1/2 x 2/3 with the duplicate between two hits; without it 1."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 3, 0.9), ("v", 1, ANN, 3, 0.8), ("v", 1, BEN, 3, 0.7)]
    mended = of(truth, found)
    assert mended.counts == only("duplicate")
    assert mended.mended == pytest.approx({**dict.fromkeys(KINDS, 5 / 6), "duplicate": 1.0})


def test_background() -> None:
    truth: list[TruthRow] = [("v", 1, ANN, 3)]
    found: list[DetectionRow] = [("v", 1, BETWEEN, 3, 0.9), ("v", 1, ANN, 3, 0.8)]
    mended = of(truth, found)
    assert mended.counts == only("background")
    assert mended.mended == pytest.approx({**dict.fromkeys(KINDS, 0.5), "background": 1.0})


def test_wrong_class_is_given_the_class_that_nothing_found() -> None:
    """Ann stands and walks; walking was found, and "sit" becomes "stand": AP 0 becomes 1, of two classes."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, ANN, 4)]
    found: list[DetectionRow] = [("v", 1, ANN, 1, 0.9), ("v", 1, ANN, 4, 0.8)]
    mended = of(truth, found)
    assert mended.counts == only("wrong class")
    assert mended.mended == pytest.approx({**dict.fromkeys(KINDS, 0.5), "wrong class": 1.0})


def test_wrong_class_is_removed_if_all_is_found() -> None:
    """Ann's walk was found; "stand" on her is a false alarm before the hit on Ben."""
    truth: list[TruthRow] = [("v", 1, ANN, 4), ("v", 1, BEN, 3)]
    found: list[DetectionRow] = [("v", 1, ANN, 4, 0.9), ("v", 1, ANN, 3, 0.8), ("v", 1, BEN, 3, 0.7)]
    mended = of(truth, found)
    assert mended.counts == only("wrong class")
    assert mended.mended == pytest.approx({**dict.fromkeys(KINDS, 0.75), "wrong class": 1.0})


def test_poor_box_is_moved_onto_the_person() -> None:
    """A box of a third of Ann, once moved, is a hit; a second such box has nothing left to find and is removed."""
    third: Box = (0.0, 0.0, 0.4, 1 / 3)
    truth: list[TruthRow] = [("v", 1, ANN, 3)]
    mended = of(truth, [("v", 1, third, 3, 0.9), ("v", 1, third, 3, 0.8)])
    assert mended.counts == only("poor box", 2)
    assert mended.mended == pytest.approx({**dict.fromkeys(KINDS, 0.0), "poor box": 1.0})


def test_missed() -> None:
    """Nothing came near Ben; had he been found first, recall would be whole."""
    truth: list[TruthRow] = [("v", 1, ANN, 3), ("v", 1, BEN, 3)]
    mended = of(truth, [("v", 1, ANN, 3, 0.9)])
    assert mended.counts == only("missed")
    assert mended.mended == pytest.approx({**dict.fromkeys(KINDS, 0.5), "missed": 1.0})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_row_is_a_hit_or_of_one_kind_and_mending_never_hurts(protocol: str) -> None:
    for seed in range(20):
        truth, detections, excluded = random_world(seed).tables()
        result = evaluate(truth, detections, LABEL_MAP, excluded=excluded, protocol=protocol)
        found = mistakes(result)
        hits = int(true_positives(result.selection, result.nearest, result.iou).sum())
        false_alarms = sum(count for kind, count in found.counts.items() if kind != "missed")
        assert hits + false_alarms == result.counts["detections_scored"]
        assert hits + found.counts["missed"] <= result.counts["ground_truth_boxes"]
        if result.mean_ap is not None:
            assert all(mended is not None and mended >= result.mean_ap - 1e-12 for mended in found.mended.values())
