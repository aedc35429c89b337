"""Audio: conv1 to res5 of the Audio pathway (paper, 3.1 and table 1).

Axes: audio (K, C, T, F) of the K clips with audio (twice as many with misaligned audio).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.blocks import AudioBottleneck, ConvNorm, Residual, SeparableBranch
from avdet.models.ops.channels_last import channels_last
from avdet.models.ops.small_channel_bn import BatchNorm

__all__ = ["AudioPathway", "NoAudioPathway"]


class AudioStem(nn.Module):
    """conv1 of Audio: 9 x 1 (time) and 1 x 9 (frequency) in parallel, summed; batch norm, ReLU; no pooling."""

    def __init__(self, dim_out: int) -> None:
        super().__init__()
        self.time = nn.Conv2d(1, dim_out, (9, 1), padding=(4, 0), bias=False)
        self.frequency = nn.Conv2d(1, dim_out, (1, 9), padding=(0, 4), bias=False)
        self.norm = BatchNorm(dim_out)

    def forward(self, audio: Tensor) -> Tensor:
        """(K, 1, T, F) -> (K, C, T, F)"""
        x = channels_last(self.time(audio) + self.frequency(audio))
        return F.relu_(self.norm(x))


class AudioStage(nn.Sequential):
    """The residual blocks of one stage of the Audio pathway."""

    def __init__(
        self,
        branch: type[SeparableBranch] | type[AudioBottleneck],
        blocks: int,
        dim_in: int,
        dim_inner: int,
        *,
        stride: int = 1,
    ) -> None:
        super().__init__()
        dim_out = 4 * dim_inner
        for index in range(blocks):
            first = index == 0
            shortcut = ConvNorm(dim_in, dim_out, stride=(stride, stride), relu=False) if first else None
            body = branch(dim_in if first else dim_out, dim_inner, dim_out, stride=stride if first else 1)
            self.add_module(f"block{index}", Residual(body, shortcut))


class AudioPathway(nn.Module):
    """Audio, from conv1 to res5; up to res3 time and frequency have separate convolutions (paper, 3.1)."""

    def __init__(self, *, width: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = AudioStem(width)
        self.res2 = AudioStage(SeparableBranch, blocks[0], width, width)
        self.res3 = AudioStage(SeparableBranch, blocks[1], 4 * width, 2 * width, stride=2)
        self.res4 = AudioStage(AudioBottleneck, blocks[2], 8 * width, 4 * width, stride=2)
        self.res5 = AudioStage(AudioBottleneck, blocks[3], 16 * width, 8 * width, stride=2)


class NoAudioPathway(nn.Module):
    """The Audio pathway of a video-only model, in which no clip has audio."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = self.res2 = self.res3 = self.res4 = self.res5 = nn.Identity()
