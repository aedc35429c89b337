"""AVA v2.1's val boxes of pose classes (93,400 rows, 64 videos) against deterministic synthetic detections."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ava_eval import evaluate, read_ground_truth, read_label_map
from tests.shared import SHARED, needs_shared

AVA = SHARED / "data/annotations/ava"
POSE_IDS = np.array([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14])
_PRIME = 1_000_003  # larger than the number of rows, so that all scores differ, also in float32

# Printed by the three original scripts for these files (ActivityNet, PySlowFast and MMAction2 as of 2024).
RECORDED = {
    "official": {
        "mean": 0.2456160375858458,
        "crawl": 0.712185870080607,
        "stand": 0.3565340627136737,
        "swim": 0.13565062388591803,
        "walk": 0.1889786882206762,
    },
    "pyslowfast": {
        "mean": 0.13011972916372735,
        "crawl": 0.4190605427649444,
        "stand": 0.2104477966316486,
        "swim": 0.0980710466004584,
        "walk": 0.1196196697815189,
    },
    "mmaction2": {
        "mean": 0.24561603758584577,
        "crawl": 0.712185870080607,
        "stand": 0.3565340627136737,
        "swim": 0.13565062388591803,
        "walk": 0.1889786882206762,
    },
}


def noisy_detections(ground_truth: pd.DataFrame, copies: int = 3) -> pd.DataFrame:
    """`copies` detections of each box, shifted and scaled, 40 % with another class; all scores differ."""
    i = np.arange(copies * len(ground_truth))
    found = ground_truth.iloc[i // copies].reset_index(drop=True)
    shift, grow = ((i * 7919) % 101 - 50) / 500, ((i * 104729) % 97) / 800
    for name, sign in (("x1", -1), ("y1", -1), ("x2", 1), ("y2", 1)):
        found[name] = (found[name] + shift + sign * grow).round(3)
    is_wrong = (i * 31) % 10 < 4
    found["action_id"] = np.where(is_wrong, POSE_IDS[(i * 17) % len(POSE_IDS)], found["action_id"])
    rank = (i * 1_299_709) % _PRIME
    found["score"] = np.where(is_wrong, 0.75 * rank + 0.125, rank) / _PRIME
    found["person_id"] = -1
    return found


@needs_shared
def test_map_equals_that_of_the_original_scripts() -> None:
    truth = read_ground_truth(AVA / "derenlei_pose_only/ava_val_v2.1_pose_only.csv")
    detections, label_map = noisy_detections(truth), read_label_map(AVA / "ava_action_list_v2.2.pbtxt")
    for protocol, expected in RECORDED.items():
        result = evaluate(truth, detections, label_map, protocol=protocol, ties="file")
        found = {"mean": result.mean_ap, **{name: result.ap[name] for name in ("crawl", "stand", "swim", "walk")}}
        assert found == pytest.approx(expected, abs=1e-9)
        assert result.counts["classes_averaged"] == 14
        assert result.counts["ground_truth_boxes"] == 93_400
        assert result.counts["keyframes_with_ground_truth"] == 50_029


@needs_shared
def test_ap_equals_squared_recall() -> None:
    """A quarter of the boxes is moved away and ranked first, so AP is (t/n)^2 with t true positives, counted by awk."""
    truth = read_ground_truth(AVA / "derenlei_pose_only/ava_val_v2.1_pose_only.csv")
    is_moved = np.arange(len(truth)) % 4 == 0
    detections = truth.assign(score=np.where(is_moved, 0.9, 0.8), x1=truth["x1"] + is_moved, x2=truth["x2"] + is_moved)
    label_map = read_label_map(AVA / "ava_action_list_v2.2.pbtxt")
    counted = {"sit": (29_147, 21_856), "stand": (43_400, 32_552), "walk": (12_172, 9_129), "crawl": (19, 14)}
    for protocol in RECORDED:
        result = evaluate(truth, detections, label_map, protocol=protocol, ties="worst")
        for name, (boxes, num_tp) in counted.items():
            assert result.truth_boxes[name] == boxes
            assert result.ap[name] == pytest.approx((num_tp / boxes) ** 2, abs=1e-12)
