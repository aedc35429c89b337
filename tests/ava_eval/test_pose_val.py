"""AVA v2.1's real val boxes, pose classes: 93,400 rows of 64 videos against detections made by arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from ava_eval import evaluate, read_ground_truth, read_label_map
from tests.ava_eval.recipes import noisy_detections
from tests.shared import SHARED, needs_shared

AVA = SHARED / "data/annotations/ava"

# What the three originals print for these files (ActivityNet, PySlowFast and MMAction2 as of 2024).
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


@needs_shared
def test_equal_to_what_the_originals_print() -> None:
    truth = read_ground_truth(AVA / "derenlei_pose_only/ava_val_v2.1_pose_only.csv")
    detections, label_map = noisy_detections(truth), read_label_map(AVA / "ava_action_list_v2.2.pbtxt")
    for protocol, expected in RECORDED.items():
        result = evaluate(truth, detections, label_map, protocol=protocol)
        found = {"mean": result.mean_ap, **{name: result.ap[name] for name in ("crawl", "stand", "swim", "walk")}}
        assert found == pytest.approx(expected, abs=1e-9)
        assert result.counts["classes_averaged"] == 14
        assert result.counts["ground_truth_boxes"] == 93_400
        assert result.counts["keyframes_with_ground_truth"] == 50_029


@needs_shared
def test_squares_of_recalls_counted_by_awk() -> None:
    """Every fourth box is moved away and ranked above the rest, so n boxes and H hits make AP = H / n * H / n."""
    truth = read_ground_truth(AVA / "derenlei_pose_only/ava_val_v2.1_pose_only.csv")
    is_moved = np.arange(len(truth)) % 4 == 0
    detections = truth.assign(score=np.where(is_moved, 0.9, 0.8), x1=truth["x1"] + is_moved, x2=truth["x2"] + is_moved)
    label_map = read_label_map(AVA / "ava_action_list_v2.2.pbtxt")
    counted = {"sit": (29_147, 21_856), "stand": (43_400, 32_552), "walk": (12_172, 9_129), "crawl": (19, 14)}
    for protocol in RECORDED:
        result = evaluate(truth, detections, label_map, protocol=protocol)
        for name, (boxes, hits) in counted.items():
            assert result.truth_boxes[name] == boxes
            assert result.ap[name] == pytest.approx((hits / boxes) ** 2, abs=1e-12)
