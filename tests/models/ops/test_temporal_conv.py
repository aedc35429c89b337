"""Convolutions over time by taps: equal to torch's own, with their gradients."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.ops.temporal_conv import conv2d_by_taps, conv3d_by_taps, sum_taps
from avdet.models.visual_pathway import VisualStem


def test_sum_of_taps_by_hand() -> None:
    """Three taps over three frames: the first tap reads the previous frame, the last the next one."""
    taps = torch.tensor([[[1.0, 10, 100], [2, 20, 200], [3, 30, 300]]])  # frame x tap: the tap's output
    total = sum_taps(taps[..., None, None, None])
    assert total.flatten().tolist() == [10 + 200, 1 + 20 + 300, 2 + 30]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_sum_of_taps_has_the_numerical_gradient_and_the_layout(layout: torch.memory_format) -> None:
    taps = torch.randn(2, 4, 3, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert sum_taps(taps, layout).flatten(0, 1).is_contiguous(memory_format=layout)
    assert gradcheck(lambda taps: sum_taps(taps, layout), taps)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_conv2d_by_taps_is_conv2d(kernel: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 6, 7, dtype=torch.float64).contiguous(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(4, 5, kernel, 1, dtype=torch.float64, requires_grad=True)
    by_taps, plain = conv2d_by_taps(x, weight), F.conv2d(x, weight, padding=(kernel // 2, 0))
    torch.testing.assert_close(by_taps, plain)
    assert by_taps.is_contiguous(memory_format=torch.channels_last)
    grad = torch.randn_like(plain)
    gradients, expected = (torch.autograd.grad(y, (x, weight), grad) for y in (by_taps, plain))
    torch.testing.assert_close(gradients, expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kernel", [1, 5])
def test_conv3d_by_taps_is_conv3d(kernel: int, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    clips = torch.randn(2, 3, 6, 16, 16, dtype=torch.float64)
    stem = VisualStem(2, kernel).double()
    by_taps, plain = conv3d_by_taps(clips, stem.conv, layout), stem.conv(clips)
    torch.testing.assert_close(by_taps, plain)
    grad = torch.randn_like(plain)
    gradient, expected = (torch.autograd.grad(y, stem.conv.weight, grad)[0] for y in (by_taps, plain))
    torch.testing.assert_close(gradient, expected)
