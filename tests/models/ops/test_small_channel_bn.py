"""Batch norm of few channels: equal to torch's, with its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from avdet.models.ops.small_channel_bn import BatchNorm, is_small, small_channel_bn

LAST = torch.channels_last


def features(channels: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    values = torch.randn(4, channels, 8, 6, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return (2 * values + 1).contiguous(memory_format=LAST).requires_grad_()


@pytest.mark.parametrize("channels", [2, 8, 11])
def test_gradient_is_the_numerical_one(channels: int) -> None:
    norm = nn.BatchNorm2d(channels).double()
    nn.init.uniform_(norm.weight), nn.init.normal_(norm.bias)
    x = features(channels, torch.float64)
    assert gradcheck(lambda x, *_: small_channel_bn(x, norm), (x, norm.weight, norm.bias), fast_mode=True)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize("channels", [8, 10, 15])
def test_equals_torchs(channels: int, dtype: torch.dtype, error: float) -> None:
    """Outputs, gradients and running statistics over two steps."""
    norm = BatchNorm(channels)
    nn.init.uniform_(norm.weight), nn.init.normal_(norm.bias)
    plain = nn.BatchNorm2d(channels)
    plain.load_state_dict(norm.state_dict())
    for step in range(2):
        x = features(channels, seed=step)
        assert is_small(x)
        y, expected = norm(x.to(dtype)), plain(x.to(dtype))
        assert torch.equal(y, expected)
        grad = torch.randn(x.shape)
        gradients = [
            torch.autograd.grad(output, [x, layer.weight, layer.bias], grad.to(dtype))
            for output, layer in ((y, norm), (expected, plain))
        ]
        for gradient, other in zip(*gradients, strict=True):
            assert gradient.dtype == other.dtype
            assert (gradient - other).abs().max() <= error * other.abs().max()
    torch.testing.assert_close(norm.state_dict(), plain.state_dict())


def test_which_inputs_are_small() -> None:
    assert not is_small(features(16))
    assert not is_small(features(8).contiguous())  # not channels-last
    assert not is_small(features(8)[:1, :, :1, :3])  # 3 positions, which 4 does not divide
    with torch.no_grad():
        assert not is_small(features(8))
    norm = BatchNorm(8).eval()
    x = features(8)
    torch.testing.assert_close(norm(x), x / (1 + norm.eps) ** 0.5)


@pytest.mark.parametrize("training", [True, False])
def test_fewer_than_8_channels_are_computed_in_contiguous_memory(training: bool) -> None:
    norm, plain = BatchNorm(2).train(training), nn.BatchNorm2d(2).train(training)
    x = features(2)
    y = norm(x)
    assert y.is_contiguous(memory_format=LAST)
    torch.testing.assert_close(y, plain(x))
