"""The initial weights: their spread, and residual blocks that start as their shortcut."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from avdet.models.blocks import Residual, SeparableBranch
from avdet.models.build import build_model
from avdet.models.init_weights import init_weights
from tests.models.tiny import tiny_config


def test_spread_of_convolutions_and_linear_layers() -> None:
    torch.manual_seed(0)
    model = build_model(tiny_config(width=16), num_classes=40, head="clip")
    convolutions = [module.weight for module in model.modules() if isinstance(module, nn.Conv2d | nn.Conv3d)]
    for weight in convolutions:
        fan_out = weight.shape[0] * weight[0, 0].numel()
        if weight.numel() > 1000:
            assert weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.15)
    (linear,) = model.head.classifier.linear.values()
    assert isinstance(linear, nn.Linear)
    assert linear.weight.std().item() == pytest.approx(0.01, rel=0.1) and not linear.bias.any()


def test_a_new_block_is_its_shortcut() -> None:
    block = Residual(SeparableBranch(8, 4, 8, stride=1), None).eval()
    init_weights(block)
    audio = torch.rand(2, 8, 6, 5)  # not negative, so that the ReLU keeps it
    assert torch.equal(block(audio), audio)
