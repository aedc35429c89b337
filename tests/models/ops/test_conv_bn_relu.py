"""Folded and fused convolution, norm, residual and ReLU: equal to the layers one after another."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from avdet.models.blocks import ConvNorm
from avdet.models.build import build_model
from avdet.models.ops.conv_bn_relu import fold_batch_norm, fuses
from avdet.models.ops.small_channel_bn import BatchNorm
from tests.models.tiny import shake, tiny_batch, tiny_config

LAST = torch.channels_last


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize("dim_in", [1, 2, 3, 8, 12, 64])
@pytest.mark.parametrize("dim_out", [1, 4, 8, 24, 64])
@pytest.mark.parametrize(("kernel", "stride"), [((1, 1), 1), ((1, 1), 2), ((3, 3), 1), ((3, 3), 2), ((3, 1), 1)])
def test_evaluation_is_the_layer_in_float64(
    dtype: torch.dtype, error: float, dim_in: int, dim_out: int, kernel: tuple[int, int], stride: int
) -> None:
    torch.manual_seed(dim_in * dim_out)
    layer = ConvNorm(dim_in, dim_out, kernel, stride=(stride, stride)).eval()
    assert isinstance(layer.norm, BatchNorm)
    nn.init.uniform_(layer.norm.weight), nn.init.normal_(layer.norm.bias)
    exact = copy.deepcopy(layer).double()
    for batch, height, width in ((1, 9, 8), (5, 4, 7), (2, 1, 6), (3, 1, 1)):
        x = torch.randn(batch, dim_in, height, width).contiguous(memory_format=LAST)
        y = exact.norm(exact.conv(x.double()))
        residual = torch.randn(y.shape).contiguous(memory_format=LAST)
        for added in (None, residual):
            expected = F.relu(y if added is None else y + added)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                output = layer(x.to(dtype), None if added is None else added.to(dtype))
            assert output.dtype == dtype
            assert (output.double() - expected).abs().max() <= error * max(1.0, expected.abs().max().item())


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="oneDNN is not available")
def test_fuses_only_what_onednn_can() -> None:
    x = torch.randn(2, 8, 4, 4)
    assert not fuses(x.contiguous(memory_format=LAST))  # gradients are enabled
    with torch.no_grad():
        assert fuses(x.contiguous(memory_format=LAST))
        assert not fuses(x) and not fuses(torch.randn(2, 8, 1, 1))  # contiguous, or ambiguous
        assert not fuses(x.double().contiguous(memory_format=LAST))


def test_a_folded_model_gives_the_same_scores() -> None:
    model = build_model(tiny_config(nonlocal_blocks=(0,)), num_classes=3, head="roi")
    shake(model)
    model.train()(tiny_batch(seed=1))  # changes the running statistics
    model.eval()
    folded_model = fold_batch_norm(model)
    batch = tiny_batch((True, False))
    torch.testing.assert_close(folded_model.predict(batch), model.predict(batch), rtol=1e-4, atol=1e-5)
    norms = [name for name, module in folded_model.named_modules() if isinstance(module, BatchNorm)]
    # The first follows a linear layer, the second the sum of two convolutions.
    assert norms == ["backbone.slow.res4.nonlocal0.attention.norm", "backbone.audio.conv1.norm"]
    assert any(isinstance(module, BatchNorm) for module in model.modules())


def test_a_folded_model_in_bfloat16_is_close() -> None:
    model = build_model(tiny_config(), num_classes=3, head="roi").eval()
    folded_model = fold_batch_norm(model, torch.bfloat16)
    convolutions = [
        module for module in folded_model.modules() if isinstance(module, nn.Conv2d) and module.bias is not None
    ]
    assert convolutions and all(module.weight.dtype == torch.bfloat16 for module in convolutions)
    batch = tiny_batch()
    with torch.autocast("cpu", torch.bfloat16):
        scores = folded_model.predict(batch)
    assert scores.dtype == torch.float32
    assert scores == pytest.approx(model.predict(batch), abs=0.01)
