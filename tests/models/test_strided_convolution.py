"""A strided 1 x 1 with few channels: torch's own gradient of its weights corrupts the heap on some CPUs."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from avdet.models.blocks import ConvNorm


@pytest.mark.parametrize("dim_in", [2, 4, 6, 8, 12])
@pytest.mark.parametrize("dim_out", [4, 16])
def test_is_the_convolution_and_its_gradient(dim_in: int, dim_out: int) -> None:
    torch.manual_seed(0)
    layer = ConvNorm(dim_in, dim_out, stride=(2, 2), relu=False).train()
    weight = layer.conv.weight.detach().double().requires_grad_()
    for _ in range(3):  # what is corrupted is found when memory is given back
        frames = torch.randn(24, dim_in, 9, 8).contiguous(memory_format=torch.channels_last)
        expected = F.batch_norm(F.conv2d(frames.double(), weight, stride=2), None, None, training=True)
        ours = layer(frames)
        torch.testing.assert_close(ours.double(), expected, rtol=1e-4, atol=1e-4)
        grad = torch.randn_like(ours)
        (gradient,) = torch.autograd.grad(ours, layer.conv.weight, grad)
        (exact,) = torch.autograd.grad(expected, weight, grad.double())
        torch.testing.assert_close(gradient.double(), exact, rtol=1e-3, atol=1e-3)
