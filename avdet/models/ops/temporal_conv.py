"""Convolutions over time as ones without it, whose results are shifted and summed: one tap an offset in time.

Where channels are few, libraries have no good kernel over time. As a 3-D convolution Fast's conv1 takes 3.5 times as
long as this on a CPU (two channels), and five times on an H200 (eight, bfloat16).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F


def convolve_over_time(x: Tensor, weight: Tensor) -> Tensor:
    """F.conv2d of (B, C, T, W) with a kernel (C', C, k, 1), k odd, that keeps T; channels-last in and out."""
    kernel = weight.shape[2]
    taps = F.conv2d(x, weight.permute(2, 0, 1, 3).flatten(0, 1)[..., None])  # (B, k*C', T, W)
    by_time = taps.transpose(1, 2).unflatten(2, (kernel, -1))  # (B, T, k, C', W)
    return sum_taps(by_time[..., None], torch.channels_last).squeeze(4).transpose(1, 2)


def sum_taps(taps: Tensor, layout: torch.memory_format = torch.contiguous_format) -> Tensor:
    """(B, T, k, C, H, W) -> (B, T, C, H, W): what tap i gives at time t belongs to time t + k//2 - i.

    layout: of the (C, H, W) of a time in memory.
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
            later = middle - i
            if later:
                _later(total, later).add_(_earlier(taps[:, :, i], later))
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        count: int = ctx.taps  # type: ignore[attr-defined]
        batch, steps, dim, height, width = grad.shape
        taps = grad.new_empty(batch, steps, height, width, count, dim).permute(0, 1, 4, 5, 2, 3)
        for i in range(count):
            later = count // 2 - i
            tap = taps[:, :, i]
            _earlier(tap, later).copy_(_later(grad, later))
            (tap[:, steps - later :] if later >= 0 else tap[:, :-later]).zero_()
        return taps, None


def _later(x: Tensor, by: int) -> Tensor:
    """The times (axis 1) of `x` that are `by` steps after others: all but the first; before them if negative."""
    return x[:, by:] if by >= 0 else x[:, :by]


def _earlier(x: Tensor, by: int) -> Tensor:
    """The times that those of `_later` come after."""
    return x[:, : x.shape[1] - by] if by >= 0 else x[:, -by:]
