"""Sizes of the real networks, counted without computing anything."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from avdet.config import ModelConfig
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.sound import Sound, silence


def build_on_meta(config: ModelConfig) -> ActionModel:
    with torch.device("meta"):
        return build_model(config, num_classes=400, head="clip").eval()


def giga_multiply_adds(config: ModelConfig, size: int = 256) -> float:
    """Of convolutions and linear layers, one view."""
    model = build_on_meta(config)
    frames = torch.zeros(1, 3, config.fast_frames, size, size, device="meta")
    audio = torch.zeros(1, 1, config.audio_frames, config.mel_bins, device="meta")
    sound = Sound(audio, torch.zeros(1, dtype=torch.long, device="meta")) if config.hears else silence(frames.device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.head(model.backbone(frames, sound), 1)
    return counter.get_total_flops() / 2e9


def test_parameters_and_multiply_adds_of_avslowfast_4x16() -> None:
    """REFERENCE section 1: 41.82 M without the synchronisation loss, 39.6 G at 256 x 256, 31.4 at 224 with its 0.14."""
    config = ModelConfig()
    assert sum(p.numel() for p in build_on_meta(config).parameters()) / 1e6 == pytest.approx(41.82, abs=0.005)
    assert giga_multiply_adds(config) == pytest.approx(39.6, abs=0.03)
