"""Convolutions over time as convolutions without time, whose outputs are shifted and summed: one tap per kernel frame.

Libraries have no fast kernel over time for few channels.

- conv1 (a 3-D convolution) on CUDA in any dtype, and on CPUs with fewer than 8 output channels. Gain: 9 ms instead of
  42 ms for Fast's 8 channels, 0.9 instead of 2.3 for Slow (H200, bfloat16, 32 clips); a CPU takes 3.5 times as long
  without it (2 channels).
- k x 1 x 1 with at most 32 input channels on CUDA, in training in bfloat16. Gain: the gradient takes 2 to 3 ms instead
  of cuDNN's 7 to 13 (8 or 16 output channels, H200).

Test: tests/models/ops/test_temporal_conv.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F

from avdet.models.ops.channels_last import as_frames

__all__ = ["TemporalConv2d", "conv2d_by_taps", "conv3d_by_taps", "sum_taps", "uses_taps"]

MAX_CHANNELS = 32


class TemporalConv2d(nn.Conv2d):
    """A k x 1 convolution over time, of (B, C, T, H*W)."""


def uses_taps(x: Tensor, conv: nn.Conv2d) -> bool:
    """Whether `conv` of `x` is faster by `conv2d_by_taps`."""
    if not isinstance(conv, TemporalConv2d) or conv.stride != (1, 1) or conv.in_channels > MAX_CHANNELS:
        return False
    return x.is_cuda and x.dtype == torch.bfloat16 and torch.is_grad_enabled()


def conv2d_by_taps(x: Tensor, weight: Tensor) -> Tensor:
    """F.conv2d of (B, C, T, W) with a kernel (C', C, k, 1), k odd, that keeps T; channels-last in and out."""
    kernel = weight.shape[2]
    taps = F.conv2d(x, weight.permute(2, 0, 1, 3).flatten(0, 1)[..., None])  # (B, k*C', T, W)
    by_time = taps.transpose(1, 2).unflatten(2, (kernel, -1))  # (B, T, k, C', W)
    return sum_taps(by_time[..., None], torch.channels_last).squeeze(4).transpose(1, 2)


def conv3d_by_taps(clips: Tensor, conv: nn.Conv3d, layout: torch.memory_format) -> Tensor:
    """conv1 of (B, 3, T, H, W) as (B, C, T, H/2, W/2). layout: of each frame (C, H/2, W/2) in memory."""
    batch, _, steps = clips.shape[:3]
    weight = conv.weight.permute(2, 0, 1, 3, 4).flatten(0, 1)  # (k*C, 3, 7, 7)
    frames = F.conv2d(as_frames(clips), weight, stride=2, padding=3)
    shape = (batch, steps, conv.kernel_size[0], conv.out_channels, *frames.shape[2:])
    x = sum_taps(frames.view(shape), layout).transpose(1, 2)
    return x if conv.bias is None else x + conv.bias[:, None, None, None]


def sum_taps(taps: Tensor, layout: torch.memory_format = torch.contiguous_format) -> Tensor:
    """(B, T, k, C, H, W) -> (B, T, C, H, W): the output of tap i at time t is added at time t + k//2 - i.

    layout: of each frame (C, H, W) in memory.
    """
    total: Tensor = _SumTaps.apply(taps, layout)  # type: ignore[no-untyped-call]
    return total


class _SumTaps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, taps: Tensor, layout: torch.memory_format) -> Tensor:
        ctx.taps = taps.shape[2]  # type: ignore[attr-defined]
        middle = taps.shape[2] // 2
        total = taps[:, :, middle].flatten(0, 1).clone(memory_format=layout).unflatten(0, taps.shape[:2])
        for i in range(taps.shape[2]):
            shift = middle - i
            if shift:
                _targets(total, shift).add_(_sources(taps[:, :, i], shift))
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        count: int = ctx.taps  # type: ignore[attr-defined]
        batch, steps, dim, height, width = grad.shape
        taps = grad.new_empty(batch, steps, height, width, count, dim).permute(0, 1, 4, 5, 2, 3)
        for i in range(count):
            shift = count // 2 - i
            tap = taps[:, :, i]
            _sources(tap, shift).copy_(_targets(grad, shift))
            (tap[:, steps - shift :] if shift >= 0 else tap[:, :-shift]).zero_()
        return taps, None


def _targets(x: Tensor, shift: int) -> Tensor:
    """The times (axis 1) of `x` that lie `shift` steps after another time of `x` (before it, if negative)."""
    return x[:, shift:] if shift >= 0 else x[:, :shift]


def _sources(x: Tensor, shift: int) -> Tensor:
    """Those other times."""
    return x[:, : x.shape[1] - shift] if shift >= 0 else x[:, -shift:]
