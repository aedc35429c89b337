from __future__ import annotations

import pytest
import torch

from avdet.people.fine_tune import fine_tune
from avdet.people.person_ap import score_people
from avdet.people.torchvision_rcnn import torchvision_rcnn
from tests.people.scenes import scene


def test_a_tiny_network_learns_bright_boxes_in_seconds() -> None:
    torch.manual_seed(0)
    detector = torchvision_rcnn("tiny", None, torch.device("cpu"))
    batches = [[scene(4 * k + j) for j in range(4)] for k in range(20)]
    losses: list[float] = []
    fine_tune(detector, batches, epochs=3, steps_per_epoch=20, lr=0.03, on_step=losses.append)
    assert len(losses) == 60
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    pictures, truth = zip(*(scene(seed) for seed in range(1000, 1008)), strict=True)
    scores = score_people(truth, detector(pictures), threshold=0.5)
    assert scores.ap50 is not None and scores.ap50 > 0.9


def test_a_rate_beyond_all_measure_is_said() -> None:
    torch.manual_seed(0)
    detector = torchvision_rcnn("tiny", None, torch.device("cpu"))
    with pytest.raises(ValueError, match="lower the rate"):
        fine_tune(detector, [[scene(0), scene(1)]] * 10, epochs=1, steps_per_epoch=10, lr=1e30)
