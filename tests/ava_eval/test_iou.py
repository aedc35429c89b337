"""IoU of boxes on paper."""

import numpy as np
import pytest

from ava_eval.iou import paired_iou
from tests.ava_eval.slow_protocols import iou_single


def test_on_paper() -> None:
    """The same; half; a quarter shared of 7 quarters; apart; touching; one inside another; both without area."""
    boxes = [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 4, 4], [1, 1, 1, 1]]
    others = [[0, 0, 2, 2], [0, 0, 2, 1], [1, 1, 3, 3], [2, 2, 3, 3], [1, 0, 2, 1], [1, 1, 3, 3], [1, 1, 1, 1]]
    expected = [1, 0.5, 1 / 7, 0, 0, 0.25, 0]
    assert paired_iou(np.array(boxes, dtype=float), np.array(others, dtype=float)).tolist() == pytest.approx(expected)


def test_single_precision_is_the_mixture_of_the_original() -> None:
    random = np.random.default_rng(0)
    boxes, others = (np.sort(random.random((500, 2, 2)).round(3), axis=1).reshape(-1, 4) for _ in range(2))
    found = paired_iou(boxes.astype(np.float32), others.astype(np.float32)).tolist()
    assert found == [iou_single(tuple(a), tuple(b)) for a, b in zip(boxes, others, strict=True)]
