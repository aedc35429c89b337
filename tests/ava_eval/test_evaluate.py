"""mAP on a published case, its arguments, and the JSON of the result."""

from __future__ import annotations

import json

import pytest

from ava_eval import PROTOCOLS, evaluate, read_detections, read_ground_truth, read_label_map
from tests.ava_eval.random_cases import LABEL_MAP, random_case
from tests.shared import SHARED, needs_shared

MMACTION2 = SHARED / "data/annotations/ava/mmaction2_tests/eval_detection"


@needs_shared
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_published_case_of_mmaction2(protocol: str) -> None:
    result = evaluate(
        read_ground_truth(MMACTION2 / "gt.csv"),
        read_detections(MMACTION2 / "pred.csv"),
        read_label_map(MMACTION2 / "action_list.txt"),
        protocol=protocol,
    )
    assert result.mean_ap == pytest.approx(0.09385522, abs=5e-9)


def test_json_format() -> None:
    truth, detections, _ = random_case(3).tables()
    result = evaluate(truth, detections, LABEL_MAP, protocol="mmaction2", iou=0.75)
    numbers = json.loads(json.dumps(result.to_json()))
    assert list(numbers) == ["protocol", "iou", "ties", "mAP", "AP", "counts"]
    rules = (numbers["protocol"], numbers["iou"], numbers["ties"])
    assert (*rules, numbers["mAP"]) == ("mmaction2", 0.75, "expected", result.mean_ap)
    assert list(numbers["AP"]) == list(LABEL_MAP.values())
    assert numbers["counts"].pop("tie_spread") == 0.0
    assert all(isinstance(count, int) for count in numbers["counts"].values())


def test_mean_is_over_classes_with_ap() -> None:
    truth, detections, _ = random_case(3).tables()
    result = evaluate(truth[truth["action_id"] != 4], detections, LABEL_MAP)
    aps = [ap for ap in result.ap.values() if ap is not None]
    assert result.ap["walk"] is None
    assert result.mean_ap == pytest.approx(sum(aps) / len(aps))
    assert result.counts["classes_without_ground_truth"] == 1
