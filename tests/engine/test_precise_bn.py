from typing import Any

import pytest
import torch
from torch import nn

from avdet.engine.precise_bn import update_bn_stats


def test_statistics_are_the_mean_over_the_batches() -> None:
    model = nn.BatchNorm1d(1)
    for _ in range(3):
        model(torch.randn(4, 1))
    batches: list[Any] = [torch.full((4, 1), value) for value in (1.0, 2.0, 6.0)]  # a lone norm takes tensors
    update_bn_stats(model, batches)
    assert model.running_mean is not None
    assert model.running_mean.item() == pytest.approx(3.0)
    assert model.momentum == 0.1
    assert model.num_batches_tracked == 6
