from __future__ import annotations

import pytest
import torch

from avdet.engine.classification_task import giga_multiply_adds
from avdet.models.build import build_model
from avdet.settings import ModelConfig
from tests.models.tiny import tiny_batch, tiny_config


def test_twice_the_views_cost_the_same_each_and_a_larger_picture_more() -> None:
    model = build_model(tiny_config(audio=False), num_classes=3, head="clip")
    one, two, large = tiny_batch((False,)), tiny_batch((False, False)), tiny_batch((False,), size=64)
    cost = giga_multiply_adds(model, one)
    assert giga_multiply_adds(model, two) == pytest.approx(cost)
    assert giga_multiply_adds(model, large) == pytest.approx(4 * cost, rel=0.01)


def test_a_view_of_the_papers_network() -> None:
    """39.8 G in the paper, which counts 0.18 G that only the synchronisation loss needs."""
    config = ModelConfig()
    with torch.device("meta"):
        model = build_model(config, num_classes=400, head="clip")
    batch = tiny_batch((True,), size=256, frames=config.clip_frames, audio_shape=(config.audio_frames, config.mel_bins))
    assert giga_multiply_adds(model, batch) == pytest.approx(39.61, abs=0.01)
