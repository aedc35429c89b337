"""The network of the paper: three pathways that step together and meet after each stage (figure 2).

Axes: slow (B, C, T, H, W), fast (B, C, alpha*T, H, W), sound (K, C, T, F) of the K clips that are heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from avdet.models.drop_pathway import AudioState
from avdet.models.pathways import AudioPathway, NoAudioPathway, VisualPathway


@dataclass(frozen=True)
class Features:
    """What a backbone hands to a head: `pictures`, one (B, C, T, h, w) a visual pathway, and the sound."""

    pictures: tuple[Tensor, ...]
    sound: AudioState


class PackPathways(nn.Module):
    """Frames (B, 3, alpha*T, H, W) for the Slow and the Fast pathway; bytes are normalised, floats are taken as normal.

    Slow sees T frames from the first to the last, evenly spaced and rounded down, as in the reference code: with
    alpha = 8 these are frames 0, 10, 20, 31 of 32.
    """

    def __init__(self, alpha: int) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        if frames.dtype == torch.uint8:
            frames = frames.to(torch.float32, memory_format=torch.channels_last_3d)
            frames = frames.mul_(1 / (255 * 0.225)).sub_(0.45 / 0.225)
        else:
            frames = frames.contiguous(memory_format=torch.channels_last_3d)
        count = frames.shape[2]
        index = torch.linspace(0, count - 1, count // self.alpha).long()
        return frames.transpose(1, 2)[:, index.to(frames.device)].transpose(1, 2), frames


class AVSlowFast(nn.Module):
    """Slow, Fast and Audio. `junctions`: how they meet after pool1, res2, res3, res4 and before pool5 (fusion.py)."""

    def __init__(
        self,
        pack_pathways: PackPathways,
        slow: VisualPathway,
        fast: VisualPathway,
        audio: AudioPathway | NoAudioPathway,
        junctions: Mapping[str, nn.Module],
    ) -> None:
        super().__init__()
        self.pack_pathways = pack_pathways
        self.slow = slow
        self.fast = fast
        self.audio = audio
        self.join = nn.ModuleDict(junctions)

    def forward(self, frames: Tensor, sound: AudioState) -> Features:
        slow, fast = self.pack_pathways(frames)
        # The shapes are those of 4x16, R50, at 224 x 224.
        slow, fast, sound = self.slow.conv1(slow), self.fast.conv1(fast), sound.through(self.audio.conv1)
        slow, fast, sound = self.join["pool1"](slow, fast, sound)  # 64x4x56x56, 8x32x56x56, 32x128x80
        slow, fast, sound = self.slow.res2(slow), self.fast.res2(fast), sound.through(self.audio.res2)
        slow, fast, sound = self.join["res2"](slow, fast, sound)  # 256x4x56x56, 32x32x56x56, 128x128x80
        slow, fast, sound = self.slow.res3(slow), self.fast.res3(fast), sound.through(self.audio.res3)
        slow, fast, sound = self.join["res3"](slow, fast, sound)  # 640x4x28x28, 64x32x28x28, 256x64x40
        slow, fast, sound = self.slow.res4(slow), self.fast.res4(fast), sound.through(self.audio.res4)
        slow, fast, sound = self.join["res4"](slow, fast, sound)  # 1280x4x14x14, 128x32x14x14, 512x32x20
        slow, fast, sound = self.slow.res5(slow), self.fast.res5(fast), sound.through(self.audio.res5)
        slow, fast, sound = self.join["pool5"](slow, fast, sound)  # 2048x4x7x7, 256x32x7x7, 1024x16x10
        return Features((slow, fast), sound)


class AudioOnly(nn.Module):
    """The Audio pathway as a network of its own: the paper's comparison."""

    def __init__(self, audio: AudioPathway) -> None:
        super().__init__()
        self.audio = audio

    def forward(self, frames: Tensor, sound: AudioState) -> Features:
        for stage in (self.audio.conv1, self.audio.res2, self.audio.res3, self.audio.res4, self.audio.res5):
            sound = sound.through(stage)
        return Features((), sound)
