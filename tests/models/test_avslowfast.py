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


def test_strided_slow_frames() -> None:
    frames = torch.arange(32.0).reshape(1, 1, 32, 1, 1).expand(2, 3, 32, 4, 4)
    slow, _ = PackPathways(8, strided=True)(frames)
    assert slow[0, 0, :, 0, 0].tolist() == [0, 8, 16, 24]


def test_colours_have_their_own_mean_and_order() -> None:
    """Red 51, green 102 and blue 153 of 255 are 0.2, 0.4 and 0.6."""
    frames = torch.tensor([51, 102, 153], dtype=torch.uint8).reshape(1, 3, 1, 1, 1).expand(2, 3, 2, 4, 4)
    mean, std = (0.1, 0.2, 0.3), (0.1, 0.2, 0.5)
    for bgr, expected in ((False, [1.0, 1.0, 0.6]), (True, [0.6, 1.0, 1.0])):
        _, fast = PackPathways(1, mean=mean, std=std, bgr=bgr)(frames)
        assert fast.shape == frames.shape and fast.is_contiguous(memory_format=torch.channels_last_3d)
        torch.testing.assert_close(fast[1, :, 1, 3, 2], torch.tensor(expected))


def test_bgr_frames_with_one_mean_are_the_reversed_rgb_frames() -> None:
    frames = torch.randint(0, 256, (1, 3, 2, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(PackPathways(1, bgr=True)(frames)[1], PackPathways(1)(frames)[1].flip(1))
