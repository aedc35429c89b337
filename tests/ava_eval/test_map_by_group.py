"""mAP by group, IoU and height, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ava_eval import PROTOCOLS, evaluate
from ava_eval.map_by_group import mean_ap_by_group, mean_ap_by_height, mean_ap_by_iou
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, random_case, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

TALL: Box = (0.0, 0.0, 0.5, 1.0)
SHORT: Box = (0.5, 0.0, 1.0, 0.2)


def test_groups() -> None:
    """ "walk" is found, "stand" is not, "sing" has no ground truth."""
    truth: list[TruthRow] = [("v", 1, TALL, 3), ("v", 1, TALL, 4)]
    result = evaluate(truth_table(truth), detection_table([("v", 1, TALL, 4, 0.5)]), LABEL_MAP)
    groups = {3: "moving", 4: "moving", 1: "resting", 9: "voice", 77: "unused"}
    assert mean_ap_by_group(result, groups) == {"moving": 0.5, "resting": None, "voice": None, "unused": None}
    assert mean_ap_by_group(result, {}) == {}


def test_ious() -> None:
    """The detection has IoU 0.6."""
    found: list[DetectionRow] = [("v", 1, (0.0, 0.0, 0.5, 0.6), 3, 0.5)]
    result = evaluate(truth_table([("v", 1, TALL, 3)]), detection_table(found), LABEL_MAP)
    assert mean_ap_by_iou(result, (0.5, 0.6, 0.7)) == {0.5: 1.0, 0.6: 1.0, 0.7: 0.0}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_map_by_iou_equals_separate_evaluations(protocol: str) -> None:
    for seed in range(10):
        truth, detections, _ = random_case(seed).tables()
        at_half = evaluate(truth, detections, LABEL_MAP, protocol=protocol)
        separate = evaluate(truth, detections, LABEL_MAP, protocol=protocol, iou=0.8)
        assert mean_ap_by_iou(at_half, (0.8,)) == {0.8: pytest.approx(separate.mean_ap, abs=1e-12)}


def test_heights() -> None:
    """The short person is found, after a false positive of tall height, which does not count for short persons."""
    truth: list[TruthRow] = [("v", 1, TALL, 3), ("v", 1, SHORT, 3)]
    found: list[DetectionRow] = [("v", 1, (0.6, 0.3, 0.9, 1.0), 3, 0.9), ("v", 1, SHORT, 3, 0.8)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert result.mean_ap == 0.25  # precision 1/2 over half of the recall
    heights = {"short": (0.0, 0.5), "tall": (0.5, np.inf)}
    assert mean_ap_by_height(result, heights) == {"short": 1.0, "tall": 0.0}


def test_boxes_in_pixels_have_no_relative_height() -> None:
    box = (0.0, 0.0, 64.0, 48.0)
    result = evaluate(truth_table([("v", 1, box, 3)]), detection_table([("v", 1, box, 3, 0.9)]), LABEL_MAP)
    assert result.mean_ap == 1.0 and mean_ap_by_height(result) == {}


def test_detections_on_persons_of_other_heights_do_not_count() -> None:
    """A detection on the tall person is short, but no false positive for short persons."""
    truth: list[TruthRow] = [("v", 1, TALL, 3), ("v", 1, SHORT, 3)]
    found: list[DetectionRow] = [("v", 1, (0.0, 0.0, 0.5, 0.55), 3, 0.9), ("v", 1, SHORT, 3, 0.8)]
    result = evaluate(truth_table(truth), detection_table(found), LABEL_MAP)
    assert mean_ap_by_height(result, {"short": (0.0, 0.6)}) == {"short": 1.0}
    assert mean_ap_by_height(result, {"none": (2.0, 3.0)}) == {"none": None}
