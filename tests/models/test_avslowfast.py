"""Which frames each pathway gets, and the backbone's shapes."""

from __future__ import annotations

import torch

from avdet.models.avslowfast import PackPathways
from avdet.models.build import build_model
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.settings import ModelConfig


def test_slow_gets_frames_0_10_20_and_31_of_32() -> None:
    frames = torch.arange(32.0).reshape(1, 1, 32, 1, 1).expand(2, 3, 32, 4, 4)
    slow, fast = PackPathways(8)(frames)
    assert slow[0, 0, :, 0, 0].tolist() == [0, 10, 20, 31]
    assert torch.equal(fast, frames)


def test_uint8_frames_are_normalised() -> None:
    frames = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 2, 1, 1).expand(1, 3, 2, 4, 4)
    _, fast = PackPathways(1)(frames)
    torch.testing.assert_close(fast[0, 0, :, 0, 0], torch.tensor([-0.45 / 0.225, 0.55 / 0.225]))


def test_shapes_of_4x16() -> None:
    """Paper, table 1: res5 of R50 at 224 x 224."""
    with torch.device("meta"):
        backbone = build_model(ModelConfig(), num_classes=400, head="clip").backbone.eval()
        frames, log_mel = torch.zeros(1, 3, 32, 224, 224), torch.zeros(1, 1, 128, 80)
        features = backbone(frames, AudioState(log_mel, torch.zeros(1, dtype=torch.long)))
        slow, fast = features.visual
        assert slow.shape == (1, 2048, 4, 7, 7) and fast.shape == (1, 256, 32, 7, 7)
        assert features.audio.features.shape == (1, 1024, 16, 10)
        assert not len(backbone(frames, no_audio(frames.device)).audio)
