"""Convolutions over time inside blocks: gradients, and training in bfloat16."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from avdet.models.blocks import TemporalConv
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_batch, tiny_config


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (3, 4), (5, 8)])
def test_gradient_is_the_numerical_one(kernel: int, stride: int) -> None:
    layer = shake(TemporalConv(2, 3, kernel, stride=stride)).double()
    assert isinstance(layer, TemporalConv)
    frames = torch.randn(16, 2, 1, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda frames, *_: layer.over_time(frames, 8), (frames, *layer.parameters()), fast_mode=True)


def test_a_training_step_in_bfloat16_is_close_to_float32() -> None:
    """With the paper's audio length: 16 audio steps per slow frame after res3."""
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
