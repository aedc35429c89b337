"""mAP on published and on hand-worked cases."""

import pytest

from ava_eval import PROTOCOLS, evaluate, read_detections, read_ground_truth, read_label_map
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
