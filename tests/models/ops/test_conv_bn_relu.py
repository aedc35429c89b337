"""Convolution, bias, residual and ReLU in one: the same numbers as one after another, for whatever shape."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from avdet.models.blocks import ConvNorm, Norm
from avdet.models.ops.conv_bn_relu import fuses

LAST = torch.channels_last


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize("dim_in", [1, 2, 3, 8, 12, 64])
@pytest.mark.parametrize("dim_out", [1, 4, 8, 24, 64])
@pytest.mark.parametrize(("kernel", "stride"), [((1, 1), 1), ((1, 1), 2), ((3, 3), 1), ((3, 3), 2), ((3, 1), 1)])
def test_is_the_layer_in_float64(
    dtype: torch.dtype, error: float, dim_in: int, dim_out: int, kernel: tuple[int, int], stride: int
) -> None:
    torch.manual_seed(dim_in * dim_out)
    layer = ConvNorm(dim_in, dim_out, kernel, stride=(stride, stride)).eval()
    assert isinstance(layer.norm, Norm)
    nn.init.uniform_(layer.norm.weight), nn.init.normal_(layer.norm.bias)
    scale, bias = (value.detach().double() for value in layer.norm.constants())
    for batch, height, width in ((1, 9, 8), (5, 4, 7), (2, 1, 6), (3, 1, 1)):
        x = torch.randn(batch, dim_in, height, width).contiguous(memory_format=LAST)
        y = F.conv2d(x.double(), layer.conv.weight.double(), stride=stride, padding=(kernel[0] // 2, kernel[1] // 2))
        y = y * scale[:, None, None] + bias[:, None, None]
        residual = torch.randn(y.shape).contiguous(memory_format=LAST)
        for added in (None, residual):
            expected = F.relu(y if added is None else y + added)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                ours = layer(x.to(dtype), None if added is None else added.to(dtype))
            assert ours.dtype == dtype
            assert (ours.double() - expected).abs().max() <= error * max(1.0, expected.abs().max().item())


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="oneDNN fuses on CPUs, and is not here")
def test_only_what_the_library_fuses_goes_to_it() -> None:
    x = torch.randn(2, 8, 4, 4)
    assert not fuses(x.contiguous(memory_format=LAST))  # a gradient is asked for
    with torch.no_grad():
        assert fuses(x.contiguous(memory_format=LAST))
        assert not fuses(x) and not fuses(torch.randn(2, 8, 1, 1))  # no layout, or either
        assert not fuses(x.double().contiguous(memory_format=LAST))
