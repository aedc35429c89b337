"""Convolutions over space or time with their batch norm, and residual blocks and stages of them (paper, table 1).

Axes: frames (B*T, C, H, W), the frames of all clips one after another; audio (K, C, T, F) of K clips.
How a convolution is computed on which device is in ops/.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from avdet.models.nonlocal_block import NonLocal
from avdet.models.ops.channels_last import as_clips, as_frames, channels_last_weight
from avdet.models.ops.checkpoint_block import Checkpointable, checkpoint_block
from avdet.models.ops.conv_bn_relu import conv_bn_relu
from avdet.models.ops.small_channel_bn import BatchNorm
from avdet.models.ops.temporal_conv import TemporalConv2d

__all__ = ["AudioBottleneck", "Bottleneck", "ConvNorm", "Residual", "SeparableBranch", "TemporalConv", "VisualStage"]


class ConvNorm(nn.Module):
    """A 2-D convolution that keeps the size (but for its stride), batch norm and, unless `relu` is false, ReLU.

    A residual is added before the ReLU.
    """

    conv_type = nn.Conv2d

    def __init__(
        self,
        dim_in: int,
        dim_out: int,
        kernel: tuple[int, int] = (1, 1),
        *,
        stride: tuple[int, int] = (1, 1),
        dilation: int = 1,
        relu: bool = True,
    ) -> None:
        super().__init__()
        padding = (dilation * (kernel[0] // 2), dilation * (kernel[1] // 2))
        conv = self.conv_type(dim_in, dim_out, kernel, stride, padding, dilation, bias=False)
        self.conv = channels_last_weight(conv)
        self.norm: nn.Module = BatchNorm(dim_out)
        self.relu = relu

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """relu(norm(conv(x)) + residual)"""
        return conv_bn_relu(x, self.conv, self.norm, residual, relu=self.relu)


class TemporalConv(ConvNorm):
    """k x 1 x 1: over the T frames of each clip. `forward` takes (B, C, T, H*W)."""

    conv_type = TemporalConv2d

    def __init__(self, dim_in: int, dim_out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__(dim_in, dim_out, (kernel, 1), stride=(stride, 1))

    def over_time(self, frames: Tensor, steps: int) -> Tensor:
        """(B*T, C, H, W) -> (B*T / stride, C', H, W), with T = `steps`"""
        positions = torch.unflatten(frames.flatten(2), 0, (-1, steps)).transpose(1, 2)  # (B, C, T, H*W)
        y = self(positions).transpose(1, 2).flatten(0, 1)
        return torch.unflatten(y, 2, frames.shape[2:])


class Bottleneck(nn.Module):
    """The branch of a Slow or Fast block: k x 1 x 1, 1 x 3 x 3 with the stride, 1 x 1 x 1; see Residual."""

    def __init__(
        self, dim_in: int, dim_inner: int, dim_out: int, *, temporal_kernel: int, stride: int, dilation: int
    ) -> None:
        super().__init__()
        temporal = temporal_kernel > 1
        self.a = TemporalConv(dim_in, dim_inner, temporal_kernel) if temporal else ConvNorm(dim_in, dim_inner)
        self.b = ConvNorm(dim_inner, dim_inner, (3, 3), stride=(stride, stride), dilation=dilation)
        self.c = ConvNorm(dim_inner, dim_out)

    def forward(self, frames: Tensor, residual: Tensor, steps: int) -> Tensor:
        x = self.a.over_time(frames, steps) if isinstance(self.a, TemporalConv) else self.a(frames)
        return self.c(self.b(x), residual)


class AudioBottleneck(nn.Module):
    """The branch of a block of Audio's res4 and res5: 1 x 1, 3 x 3 with the stride, 1 x 1."""

    def __init__(self, dim_in: int, dim_inner: int, dim_out: int, *, stride: int) -> None:
        super().__init__()
        self.a = ConvNorm(dim_in, dim_inner)
        self.b = ConvNorm(dim_inner, dim_inner, (3, 3), stride=(stride, stride))
        self.c = ConvNorm(dim_inner, dim_out)

    def forward(self, audio: Tensor, residual: Tensor) -> Tensor:
        return self.c(self.b(self.a(audio)), residual)


class SeparableBranch(nn.Module):
    """The branch of a block of Audio's res2 and res3: time and frequency in parallel, concatenated, then 1 x 1."""

    def __init__(self, dim_in: int, dim_inner: int, dim_out: int, *, stride: int) -> None:
        super().__init__()
        self.time = ConvNorm(dim_in, dim_inner, (3, 1), stride=(stride, stride))
        self.frequency = ConvNorm(dim_in, dim_inner, (1, 3), stride=(stride, stride))
        self.c = ConvNorm(2 * dim_inner, dim_out)

    def forward(self, audio: Tensor, residual: Tensor) -> Tensor:
        return self.c(torch.cat([self.time(audio), self.frequency(audio)], dim=1), residual)


class Residual(nn.Module, Checkpointable):
    """relu(branch(x) + shortcut(x)); the branch's last layer adds the shortcut and applies the ReLU.

    shortcut: the 1 x 1 of a stage's first block, which changes size and width; None is the identity.
    """

    def __init__(self, branch: Bottleneck | AudioBottleneck | SeparableBranch, shortcut: ConvNorm | None) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor, *steps: int) -> Tensor:
        """`steps`: T, for frames."""
        return checkpoint_block(self, self._add, x, *steps)

    def _add(self, x: Tensor, *steps: int) -> Tensor:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.branch(x, shortcut, *steps)


class VisualStage(nn.Module):
    """The residual blocks of one stage of a visual pathway.

    temporal_blocks: how many of the first blocks have the temporal kernel; the others have 1. None: all of them.
    nonlocal_after: non-local blocks by the index of the residual block that each follows.
    """

    def __init__(
        self,
        blocks: int,
        dim_in: int,
        dim_inner: int,
        *,
        temporal_kernel: int,
        temporal_blocks: int | None = None,
        stride: int = 1,
        dilation: int = 1,
        nonlocal_after: Mapping[int, NonLocal] | None = None,
    ) -> None:
        super().__init__()
        dim_out = 4 * dim_inner
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
            shortcut = ConvNorm(dim_in, dim_out, stride=(stride, stride), relu=False) if first else None
            self.add_module(f"block{index}", Residual(branch, shortcut))
            if nonlocal_after and index in nonlocal_after:
                self.add_module(f"nonlocal{index}", nonlocal_after[index])

    def forward(self, clips: Tensor) -> Tensor:
        steps = clips.shape[2]
        frames = as_frames(clips)
        for block in self.children():
            frames = block(frames, steps)
        return as_clips(frames, steps)
