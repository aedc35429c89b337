"""AVSlowFast (paper, figure 2): three pathways in parallel, with lateral connections after each stage.

Axes: slow (B, C, T, H, W), fast (B, C, alpha*T, H, W), audio (K, C, T, F) of the K clips with audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from avdet.models.audio_pathway import AudioPathway, NoAudioPathway
from avdet.models.drop_pathway import AudioState
from avdet.models.ops.channels_last import channels_last
from avdet.models.visual_pathway import VisualPathway

__all__ = ["AVSlowFast", "AudioOnly", "Features", "PackPathways"]

MEAN, STD = 0.45, 0.225  # of all colour channels, for pixels in [0, 1]


@dataclass(frozen=True)
class Features:
    """What a backbone returns for a head. visual: one (B, C, T, h, w) for each visual pathway."""

    visual: tuple[Tensor, ...]
    audio: AudioState


class PackPathways(nn.Module):
    """Frames (B, 3, alpha*T, H, W) for Slow and for Fast. Normalises uint8 frames; float frames are normalised already.

    Slow gets T frames, evenly spaced from the first to the last and rounded down as in the reference code: with
    alpha = 8, frames 0, 10, 20 and 31 of 32.
    """

    def __init__(self, alpha: int) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        if frames.dtype == torch.uint8:
            frames = channels_last(frames, torch.float32).mul_(1 / (255 * STD)).sub_(MEAN / STD)
        else:
            frames = channels_last(frames)
        count = frames.shape[2]
        index = torch.linspace(0, count - 1, count // self.alpha).long()
        return frames.transpose(1, 2)[:, index.to(frames.device)].transpose(1, 2), frames


class AVSlowFast(nn.Module):
    """Slow, Fast and Audio. fusion: the lateral connections after pool1, res2, res3, res4 and before pool5."""

    def __init__(
        self,
        pack_pathways: PackPathways,
        slow: VisualPathway,
        fast: VisualPathway,
        audio: AudioPathway | NoAudioPathway,
        fusion: Mapping[str, nn.Module],
    ) -> None:
        super().__init__()
        self.pack_pathways = pack_pathways
        self.slow = slow
        self.fast = fast
        self.audio = audio
        self.fusion = nn.ModuleDict(fusion)

    def forward(self, frames: Tensor, audio: AudioState) -> Features:
        slow, fast = self.pack_pathways(frames)
        # Shapes: 4x16, R50, at 224 x 224.
        slow, fast, audio = self.slow.conv1(slow), self.fast.conv1(fast), audio.through(self.audio.conv1)
        slow, fast, audio = self.fusion["pool1"](slow, fast, audio)  # 64x4x56x56, 8x32x56x56, 32x128x80
        slow, fast, audio = self.slow.res2(slow), self.fast.res2(fast), audio.through(self.audio.res2)
        slow, fast, audio = self.fusion["res2"](slow, fast, audio)  # 256x4x56x56, 32x32x56x56, 128x128x80
        slow, fast, audio = self.slow.res3(slow), self.fast.res3(fast), audio.through(self.audio.res3)
        slow, fast, audio = self.fusion["res3"](slow, fast, audio)  # 640x4x28x28, 64x32x28x28, 256x64x40
        slow, fast, audio = self.slow.res4(slow), self.fast.res4(fast), audio.through(self.audio.res4)
        slow, fast, audio = self.fusion["res4"](slow, fast, audio)  # 1280x4x14x14, 128x32x14x14, 512x32x20
        slow, fast, audio = self.slow.res5(slow), self.fast.res5(fast), audio.through(self.audio.res5)
        slow, fast, audio = self.fusion["pool5"](slow, fast, audio)  # 2048x4x7x7, 256x32x7x7, 1024x16x10
        return Features((slow, fast), audio)


class AudioOnly(nn.Module):
    """The Audio pathway as a network of its own, for the paper's comparison."""

    def __init__(self, audio: AudioPathway) -> None:
        super().__init__()
        self.audio = audio

    def forward(self, frames: Tensor, audio: AudioState) -> Features:
        for stage in (self.audio.conv1, self.audio.res2, self.audio.res3, self.audio.res4, self.audio.res5):
            audio = audio.through(stage)
        return Features((), audio)
