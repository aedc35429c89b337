"""Two strided convolutions that torch's CPU kernels compute wrongly, computed as convolutions without a stride.

- A strided 1 x 1 with fewer than 8 input channels: the gradient of its weight corrupts the heap (torch 2.12, oneDNN,
  AVX2, channels-last, float32). `subsample` takes every stride-th position first.
- A convolution over time with one column and a stride well above the kernel, such as A->FS's second one (kernel 5,
  stride 16 or 32): wrong numbers or a corrupt heap (torch 2.12, oneDNN, channels-last; float32 and bfloat16). Where
  the stride leaves gaps, `conv_over_windows` stacks each window as the channels of a 1 x 1 convolution.

Where: all devices and dtypes. Gain: correct numbers.
Test: tests/models/ops/test_strided_conv.py.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["conv_over_windows", "has_gaps", "subsample"]

MIN_CHANNELS = 8


def subsample(x: Tensor, conv: nn.Conv2d) -> tuple[Tensor, tuple[int, ...]]:
    """The input and the stride with which to compute `conv` of `x`."""
    if conv.kernel_size != (1, 1) or conv.stride == (1, 1) or conv.in_channels >= MIN_CHANNELS:
        return x, conv.stride
    return x[:, :, :: conv.stride[0], :: conv.stride[1]], (1, 1)


def has_gaps(conv: nn.Conv2d, stride: tuple[int, ...]) -> bool:
    """Whether `conv` with this stride is one over time (k x 1) that skips frames between its windows."""
    return stride[1] == 1 and stride[0] > conv.kernel_size[0]


def conv_over_windows(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
    """(B, C, T, W) -> (B, C', T / stride, W) for a weight (C', C, k, 1), k odd, with padding k//2."""
    kernel = weight.shape[2]
    windows = F.pad(x, (0, 0, kernel // 2, kernel // 2)).unfold(2, kernel, stride)  # (B, C, T / stride, W, k)
    stacked = windows.permute(0, 2, 3, 4, 1).contiguous().flatten(3)  # (B, T / stride, W, k*C)
    return F.conv2d(stacked.permute(0, 3, 1, 2), weight.transpose(1, 2).flatten(1)[:, :, None, None], bias)
