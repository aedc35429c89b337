from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.ops.temporal_conv import convolve_over_time, sum_taps


def test_by_hand() -> None:
    """Three taps over three frames: the first sees the frame before, the last the frame after."""
    taps = torch.tensor([[[1.0, 10, 100], [2, 20, 200], [3, 30, 300]]])  # frame x tap: what it gives
    total = sum_taps(taps[..., None, None, None])
    assert total.flatten().tolist() == [10 + 200, 1 + 20 + 300, 2 + 30]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_numerical_gradient_and_layout(layout: torch.memory_format) -> None:
    taps = torch.randn(2, 4, 3, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert sum_taps(taps, layout).flatten(0, 1).is_contiguous(memory_format=layout)
    assert gradcheck(lambda taps: sum_taps(taps, layout), taps)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_is_the_convolution_over_time(kernel: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 6, 7, dtype=torch.float64).contiguous(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(4, 5, kernel, 1, dtype=torch.float64, requires_grad=True)
    ours, theirs = convolve_over_time(x, weight), F.conv2d(x, weight, padding=(kernel // 2, 0))
    torch.testing.assert_close(ours, theirs)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    grad = torch.randn_like(theirs)
    for one, other in zip(
        torch.autograd.grad(ours, (x, weight), grad), torch.autograd.grad(theirs, (x, weight), grad), strict=True
    ):
        torch.testing.assert_close(one, other)
