"""AVSlowFast (paper, figure 2): three pathways in parallel, with lateral connections after each stage.

Axes: slow (B, C, T, H, W), fast (B, C, alpha*T, H, W), audio (K, C, T, F) of the K clips with audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from avdet.models.audio_pathway import AudioPathway, NoAudioPathway
from avdet.models.drop_pathway import AudioState
from avdet.models.ops.channels_last import channels_last
from avdet.models.visual_pathway import VisualPathway

__all__ = ["AVSlowFast", "Features", "PackPathways"]


@dataclass(frozen=True)
class Features:
    """What a backbone returns for a head. visual: one (B, C, T, h, w) for each visual pathway."""

    visual: tuple[Tensor, ...]
    audio: AudioState


class PackPathways(nn.Module):
    """Frames (B, 3, alpha*T, H, W) for Slow and for Fast. uint8 frames are RGB; float frames are normalised already.

    Slow gets T frames, evenly spaced from the first to the last and rounded down as in the reference code: with
    alpha = 8, frames 0, 10, 20 and 31 of 32. strided: it gets every alpha-th frame instead: 0, 8, 16 and 24.
    mean, std: of red, green and blue, for pixels in [0, 1]. bgr: the network takes blue, green, red.
    """

    def __init__(
        self,
        alpha: int,
        *,
        mean: Sequence[float] = (0.45, 0.45, 0.45),
        std: Sequence[float] = (0.225, 0.225, 0.225),
        bgr: bool = False,
        strided: bool = False,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.strided = strided
        self.channels = (2, 1, 0) if bgr else (0, 1, 2)
        self.scales = [(1 / (255 * std[i]), mean[i] / std[i]) for i in self.channels]

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        frames = self._normalise(frames) if frames.dtype == torch.uint8 else channels_last(frames)
        count = frames.shape[2]
        index = torch.linspace(0, count - 1, count // self.alpha).long()
        if self.strided:
            index = torch.arange(count // self.alpha) * self.alpha
        return frames.transpose(1, 2)[:, index.to(frames.device)].transpose(1, 2), frames

    def _normalise(self, frames: Tensor) -> Tensor:
        if self.channels == (0, 1, 2) and len(set(self.scales)) == 1:  # one pass over all channels
            scale, shift = self.scales[0]
            return channels_last(frames, torch.float32).mul_(scale).sub_(shift)
        pairs = zip(self.channels, self.scales, strict=True)
        return channels_last(torch.stack([frames[:, i].float() * scale - shift for i, (scale, shift) in pairs], dim=1))


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
