"""conv1 (and pool1) of the pathways. Axes: pictures (B, C, T, H, W), sound (K, 1, T, F)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F

from avdet.models.blocks import FEW, Norm, as_clips, as_frames


class VisualStem(nn.Module):
    """conv1 (k x 7 x 7, stride 1 x 2 x 2) and pool1 (1 x 3 x 3, stride 1 x 2 x 2)."""

    def __init__(self, dim_out: int, temporal_kernel: int) -> None:
        super().__init__()
        kernel, padding = (temporal_kernel, 7, 7), (temporal_kernel // 2, 3, 3)
        self.conv = nn.Conv3d(3, dim_out, kernel, (1, 2, 2), padding, bias=False)
        self.conv.weight = nn.Parameter(self.conv.weight.contiguous(memory_format=torch.channels_last_3d))
        self.norm: Norm | nn.Identity = Norm(dim_out)

    def forward(self, pictures: Tensor) -> Tensor:
        few = self.conv.out_channels < FEW and pictures.device.type == "cpu"
        x = self._by_taps(pictures) if few else self.conv(pictures)
        frames = as_frames(x)
        frames = self.norm(frames.contiguous() if few else frames)
        frames = F.relu_(F.max_pool2d(frames, 3, 2, 1))  # in this order ReLU has a quarter of the work
        return as_clips(frames.contiguous(memory_format=torch.channels_last), pictures.shape[2])

    def _by_taps(self, pictures: Tensor) -> Tensor:
        """The same convolution as 2-D ones, one a tap in time, whose results are shifted and summed.

        For the two channels of a small Fast pathway this is 3.5 times as fast on a CPU as the 3-D one.
        """
        batch, _, steps = pictures.shape[:3]
        taps = self.conv.weight.permute(2, 0, 1, 3, 4).flatten(0, 1)  # (k*C, 3, 7, 7)
        frames = F.conv2d(as_frames(pictures), taps, stride=2, padding=3)
        shape = (batch, steps, self.conv.kernel_size[0], self.conv.out_channels, *frames.shape[2:])
        x = sum_taps(frames.view(shape)).transpose(1, 2)
        return x if self.conv.bias is None else x + self.conv.bias[:, None, None, None]


def sum_taps(taps: Tensor) -> Tensor:
    """(B, T, k, ...) -> (B, T, ...): what tap i gives at time t belongs to time t + k//2 - i."""
    total: Tensor = _SumTaps.apply(taps)  # type: ignore[no-untyped-call]
    return total


class _SumTaps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, taps: Tensor) -> Tensor:
        ctx.taps = taps.shape[2]  # type: ignore[attr-defined]
        middle = taps.shape[2] // 2
        total = taps[:, :, middle].clone()
        for i in range(taps.shape[2]):
            later = middle - i
            if later:
                _later(total, later).add_(_earlier(taps[:, :, i], later))
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        (grad,) = grads
        count: int = ctx.taps  # type: ignore[attr-defined]
        batch, steps, dim, height, width = grad.shape
        taps = grad.new_empty(batch, steps, height, width, count, dim).permute(0, 1, 4, 5, 2, 3)
        for i in range(count):
            later = count // 2 - i
            tap = taps[:, :, i]
            _earlier(tap, later).copy_(_later(grad, later))
            (tap[:, steps - later :] if later >= 0 else tap[:, :-later]).zero_()
        return taps


def _later(x: Tensor, by: int) -> Tensor:
    """The times (axis 1) of `x` that are `by` steps after others: all but the first; before them if negative."""
    return x[:, by:] if by >= 0 else x[:, :by]


def _earlier(x: Tensor, by: int) -> Tensor:
    """The times that those of `_later` come after."""
    return x[:, : x.shape[1] - by] if by >= 0 else x[:, -by:]


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
