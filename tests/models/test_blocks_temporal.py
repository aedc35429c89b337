"""Convolutions over time whose stride leaves gaps: torch's own go wrong there on CPUs, in silence or with a crash."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.blocks import TemporalConv
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_batch, tiny_config


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize(("steps", "stride"), [(64, 16), (128, 32), (128, 16), (256, 16), (128, 8), (32, 8), (16, 4)])
@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_is_the_convolution_in_float64(
    dtype: torch.dtype, error: float, steps: int, stride: int, batch: int, layout: torch.memory_format
) -> None:
    """The shapes of A->FS's second convolution after each stage, of 4x16 and of 16x8."""
    torch.manual_seed(0)
    layer = TemporalConv(64, 320, 5, stride=stride).eval()
    sound = torch.randn(batch, 64, steps, 1).contiguous(memory_format=layout)
    expected = F.relu(F.conv2d(sound.double(), layer.conv.weight.double(), stride=(stride, 1), padding=(2, 0)))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        heard = layer(sound.to(dtype))
    assert heard.shape == (batch, 320, steps // stride, 1)
    assert (heard.double() - expected).abs().max() <= error * expected.abs().max()


@pytest.mark.parametrize("batch", [1, 2])
def test_keeps_memory_channels_last(batch: int) -> None:
    """Else Slow, to which F->S is concatenated, is turned round and back after every stage."""
    frames = torch.randn(batch * 16, 8, 3, 4).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        brought = TemporalConv(8, 16, 5, stride=8).over(frames, 16)
    assert brought.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (3, 4), (5, 8)])
def test_gradient_is_the_numerical_one(kernel: int, stride: int) -> None:
    layer = shake(TemporalConv(2, 3, kernel, stride=stride)).double()
    assert isinstance(layer, TemporalConv)
    frames = torch.randn(16, 2, 1, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda frames, *_: layer.over(frames, 8), (frames, *layer.parameters()), fast_mode=True)


def test_a_training_step_in_bfloat16_is_near_that_in_float32() -> None:
    """With the sound's real lengths: 16 steps of it a slow frame after res3."""
    torch.manual_seed(0)
    config = tiny_config(slow_frames=4, slow_stride=4, audio_frames=128, mel_bins=80, fusion_width=64)
    model = build_model(config, num_classes=3, head="roi")
    batch = tiny_batch((True, True, True), frames=8, audio_shape=(128, 80))
    losses, gradients = [], []
    for enabled in (False, True):
        network = copy.deepcopy(model)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = network(batch)["action"]
        loss.backward()
        losses.append(loss.item())
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    exact, rounded = gradients
    assert F.cosine_similarity(exact, rounded, dim=0) > 0.95
