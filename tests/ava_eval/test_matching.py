"""IoU and matching computed by hand."""

import numpy as np
import pytest

from ava_eval.csv_format import DETECTIONS, GROUND_TRUTH
from ava_eval.matching import BoxLookup, keyframe_pairs, match_detections, paired_iou, true_positives
from ava_eval.protocols import PROTOCOLS
from ava_eval.selection import select
from ava_eval.tables import check_table
from ava_eval.ties import TieRule
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.reference_protocols import iou_float32


def test_iou() -> None:
    """Equal; half; a quarter of 7 quarters shared; disjoint; touching; one inside another; both without area."""
    boxes = [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 4, 4], [1, 1, 1, 1]]
    others = [[0, 0, 2, 2], [0, 0, 2, 1], [1, 1, 3, 3], [2, 2, 3, 3], [1, 0, 2, 1], [1, 1, 3, 3], [1, 1, 1, 1]]
    expected = [1, 0.5, 1 / 7, 0, 0, 0.25, 0]
    assert paired_iou(np.array(boxes, dtype=float), np.array(others, dtype=float)).tolist() == pytest.approx(expected)


def test_iou_of_float32_boxes() -> None:
    rng = np.random.default_rng(0)
    boxes, others = (np.sort(rng.random((500, 2, 2)).round(3), axis=1).reshape(-1, 4) for _ in range(2))
    found = paired_iou(boxes.astype(np.float32), others.astype(np.float32)).tolist()
    assert found == [iou_float32(tuple(a), tuple(b)) for a, b in zip(boxes, others, strict=True)]


def test_box_lookup_keeps_the_order_of_boxes() -> None:
    """Boxes 1 and 3 have key 5, box 0 key 7, box 2 key 2."""
    index, sizes, boxes = BoxLookup(np.array([7, 5, 2, 5])).find(np.array([5, 9, 7, 5]))
    assert (index.tolist(), sizes.tolist(), boxes.tolist()) == ([0, 2, 3], [2, 1, 2], [1, 3, 0, 1, 3])


def test_each_detection_matches_the_box_of_highest_iou_of_its_class() -> None:
    """Detections 0 and 1 match the left box (pyslowfast: the first is the true positive); 2 and 3 match none."""
    left, right = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)
    truth = check_table(truth_table([("v", 1, right, 3), ("v", 1, left, 3)]), GROUND_TRUTH)
    rows = [("v", 1.0, left, 3, 0.8), ("v", 1.0, left, 3, 0.9), ("v", 1.0, left, 4, 0.7), ("w", 1.0, left, 3, 0.6)]
    found = check_table(detection_table(rows), DETECTIONS)
    selection = select(PROTOCOLS["pyslowfast"], LABEL_MAP, truth, found, None, TieRule("file"))
    match = match_detections(selection)
    assert (match.detection.tolist(), match.truth.tolist(), match.iou.tolist()) == ([0, 1], [1, 1], [1.0, 1.0])
    assert true_positives(selection, match, 0.5).tolist() == [True, False, False, False]
    (pairs,) = keyframe_pairs(selection, np.array([2, 3]))
    assert [array.tolist() for array in pairs] == [[2, 2], [0, 1], [0.0, 1.0]]
