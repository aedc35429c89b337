"""The three pathways, stage by stage (paper, 3.1 and table 1; REFERENCE: SlowFast, arXiv 1812.03982).

Axes: pictures (B, C, T, H, W); sound (K, C, T, F), K being the clips that have sound (and their misaligned twins).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.blocks import AudioBottleneck, Bottleneck, ConvNorm, Norm, Residual, SeparableBranch, SpatialConv
from avdet.models.nonlocal_block import NonLocal
from avdet.models.visual_stem import VisualStem


class AudioStem(nn.Module):
    """conv1 of sound: 9 x 1 and 1 x 9 side by side, summed; nothing is pooled."""

    def __init__(self, dim_out: int) -> None:
        super().__init__()
        self.time = nn.Conv2d(1, dim_out, (9, 1), padding=(4, 0), bias=False)
        self.frequency = nn.Conv2d(1, dim_out, (1, 9), padding=(0, 4), bias=False)
        self.norm = Norm(dim_out)

    def forward(self, sound: Tensor) -> Tensor:
        x = (self.time(sound) + self.frequency(sound)).contiguous(memory_format=torch.channels_last)
        return F.relu_(self.norm(x))


class VisualPathway(nn.Module):
    """Slow or Fast: conv1 to res5.

    width: channels after conv1; a stage's output has 4, 8, 16, 32 times as many.
    lateral_dims: channels that the other pathways add to the input of res2 .. res5.
    temporal_kernels: of conv1 and res2 .. res5. `res4_temporal_blocks`: how many of res4's blocks have theirs, from the
    first on (SlowFast's R101 has 6 of 23); the others have 1.
    dilate_res5: stride 1 and dilation 2 instead of stride 2, as detection wants it.
    nonlocal_blocks: blocks of res4 that a non-local block follows.
    """

    def __init__(
        self,
        *,
        width: int,
        blocks: Sequence[int],
        lateral_dims: Sequence[int],
        temporal_kernels: Sequence[int],
        res4_temporal_blocks: int | None = None,
        dilate_res5: bool = False,
        nonlocal_blocks: Iterable[int] = (),
        nonlocal_softmax: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = VisualStem(width, temporal_kernels[0])
        dims_in = [width, 4 * width, 8 * width, 16 * width]
        self.dims_out = [4 * width, 8 * width, 16 * width, 32 * width]

        def stage(
            index: int, *, stride: int = 2, dilation: int = 1, temporal_blocks: int | None = None
        ) -> nn.Sequential:
            return _visual_stage(
                blocks[index],
                dims_in[index] + lateral_dims[index],
                width << index,
                temporal_kernel=temporal_kernels[index + 1],
                temporal_blocks=temporal_blocks,
                stride=stride,
                dilation=dilation,
            )

        self.res2 = stage(0, stride=1)
        self.res3 = stage(1)
        self.res4 = _with_nonlocal(
            stage(2, temporal_blocks=res4_temporal_blocks), self.dims_out[2], set(nonlocal_blocks), nonlocal_softmax
        )
        self.res5 = stage(3, stride=1, dilation=2) if dilate_res5 else stage(3)


def _visual_stage(
    blocks: int,
    dim_in: int,
    dim_inner: int,
    *,
    temporal_kernel: int,
    temporal_blocks: int | None,
    stride: int,
    dilation: int,
) -> nn.Sequential:
    dim_out = 4 * dim_inner
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for index in range(blocks):
        first = index == 0
        temporal = temporal_blocks is None or index < temporal_blocks
        branch = Bottleneck(
            dim_in if first else dim_out,
            dim_inner,
            dim_out,
            temporal_kernel=temporal_kernel if temporal else 1,
            stride=stride if first else 1,
            dilation=dilation,
        )
        shortcut = SpatialConv(dim_in, dim_out, stride=stride, relu=False) if first else nn.Identity()
        layers[f"block{index}"] = Residual(branch, shortcut)
    return nn.Sequential(layers)


def _with_nonlocal(stage: nn.Sequential, dim: int, after: set[int], softmax: bool) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for index, (name, block) in enumerate(stage.named_children()):
        layers[name] = block
        if index in after:
            layers[f"nonlocal{index}"] = NonLocal(dim, dim // 2, softmax=softmax)
    return nn.Sequential(layers)


class AudioPathway(nn.Module):
    """Audio: conv1 to res5; time and frequency are convolved apart up to res3 (paper, 3.1)."""

    def __init__(self, *, width: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = AudioStem(width)
        self.dims_out = [4 * width, 8 * width, 16 * width, 32 * width]
        self.res2 = _audio_stage(SeparableBranch, blocks[0], width, width, stride=1)
        self.res3 = _audio_stage(SeparableBranch, blocks[1], 4 * width, 2 * width, stride=2)
        self.res4 = _audio_stage(AudioBottleneck, blocks[2], 8 * width, 4 * width, stride=2)
        self.res5 = _audio_stage(AudioBottleneck, blocks[3], 16 * width, 8 * width, stride=2)


def _audio_stage(
    branch: type[SeparableBranch] | type[AudioBottleneck], blocks: int, dim_in: int, dim_inner: int, *, stride: int
) -> nn.Sequential:
    dim_out = 4 * dim_inner
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for index in range(blocks):
        first = index == 0
        shortcut = ConvNorm(dim_in, dim_out, stride=(stride, stride), relu=False) if first else nn.Identity()
        layers[f"block{index}"] = Residual(
            branch(dim_in if first else dim_out, dim_inner, dim_out, stride=stride if first else 1), shortcut
        )
    return nn.Sequential(layers)


class Absent(nn.Module):
    """The Audio pathway of a model that does not hear; nothing ever goes through it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = self.res2 = self.res3 = self.res4 = self.res5 = nn.Identity()
