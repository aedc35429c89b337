"""Batch norm of few channels with places beside each other: the same norm, and the same gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from avdet.models.blocks import Norm
from avdet.models.ops.small_channel_bn import is_narrow, narrow_norm

LAST = torch.channels_last


def pictures(channels: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    values = torch.randn(4, channels, 8, 6, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return (2 * values + 1).contiguous(memory_format=LAST).requires_grad_()


@pytest.mark.parametrize("channels", [2, 8, 11])
def test_gradient_is_the_numerical_one(channels: int) -> None:
    norm = nn.BatchNorm2d(channels).double()
    nn.init.uniform_(norm.weight), nn.init.normal_(norm.bias)
    x = pictures(channels, torch.float64)
    assert gradcheck(lambda x, *_: narrow_norm(x, norm), (x, norm.weight, norm.bias), fast_mode=True)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize("channels", [8, 10, 15])
def test_is_torchs(channels: int, dtype: torch.dtype, error: float) -> None:
    """Values, gradients and running statistics, over two steps."""
    norm = Norm(channels)
    nn.init.uniform_(norm.weight), nn.init.normal_(norm.bias)
    plain = nn.BatchNorm2d(channels)
    plain.load_state_dict(norm.state_dict())
    for step in range(2):
        x = pictures(channels, seed=step)
        assert is_narrow(x)
        ours, theirs = norm(x.to(dtype)), plain(x.to(dtype))
        assert torch.equal(ours, theirs)
        grad = torch.randn(x.shape)
        gradients = [
            torch.autograd.grad(y, [x, layer.weight, layer.bias], grad.to(dtype))
            for y, layer in ((ours, norm), (theirs, plain))
        ]
        for mine, other in zip(*gradients, strict=True):
            assert mine.dtype == other.dtype
            assert (mine - other).abs().max() <= error * other.abs().max()
    torch.testing.assert_close(norm.state_dict(), plain.state_dict())


def test_others_go_by_torch() -> None:
    assert not is_narrow(pictures(16))
    assert not is_narrow(pictures(8).contiguous())  # frames after channels
    assert not is_narrow(pictures(8)[:1, :, :1, :3])  # 3 places, not by fours
    with torch.no_grad():
        assert not is_narrow(pictures(8))
    norm = Norm(8).eval()
    x = pictures(8)
    torch.testing.assert_close(norm(x), x / (1 + norm.eps) ** 0.5)
