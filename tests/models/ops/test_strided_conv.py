"""Strided convolutions that torch computes wrongly on some CPUs: equal to float64, with their gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from avdet.models.blocks import ConvNorm, TemporalConv


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize(("steps", "stride"), [(64, 16), (128, 32), (128, 16), (256, 16), (128, 8), (32, 8), (16, 4)])
@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_temporal_convolution_with_gaps_is_the_one_in_float64(
    dtype: torch.dtype, error: float, steps: int, stride: int, batch: int, layout: torch.memory_format
) -> None:
    """With the shapes of A->FS's second convolution after each stage, for 4x16 and 16x8."""
    torch.manual_seed(0)
    layer = TemporalConv(64, 320, 5, stride=stride).eval()
    audio = torch.randn(batch, 64, steps, 1).contiguous(memory_format=layout)
    expected = F.relu(F.conv2d(audio.double(), layer.conv.weight.double(), stride=(stride, 1), padding=(2, 0)))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        y = layer(audio.to(dtype))
    assert y.shape == (batch, 320, steps // stride, 1)
    assert (y.double() - expected).abs().max() <= error * expected.abs().max()


@pytest.mark.parametrize("dim_in", [2, 4, 6, 8, 12])
@pytest.mark.parametrize("dim_out", [4, 16])
def test_a_strided_1x1_of_few_channels_is_the_one_in_float64(dim_in: int, dim_out: int) -> None:
    torch.manual_seed(0)
    layer = ConvNorm(dim_in, dim_out, stride=(2, 2), relu=False).train()
    weight = layer.conv.weight.detach().double().requires_grad_()
    for _ in range(3):  # a corrupt heap shows when memory is freed
        frames = torch.randn(24, dim_in, 9, 8).contiguous(memory_format=torch.channels_last)
        expected = F.batch_norm(F.conv2d(frames.double(), weight, stride=2), None, None, training=True)
        y = layer(frames)
        torch.testing.assert_close(y.double(), expected, rtol=1e-4, atol=1e-4)
        grad = torch.randn_like(y)
        (gradient,) = torch.autograd.grad(y, layer.conv.weight, grad)
        (exact,) = torch.autograd.grad(expected, weight, grad.double())
        torch.testing.assert_close(gradient.double(), exact, rtol=1e-3, atol=1e-3)
