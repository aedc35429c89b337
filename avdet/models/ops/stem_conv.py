"""conv1 of a visual pathway with its batch norm, ReLU and pool1; on CPUs two frames at a time.

AVX-512 computes 16 channels at once, and Fast's conv1 has 8. The convolution computes a pair of frames as twice the
channels, and the pair stays side by side in memory until pool1.

Where: CPUs, all dtypes, 8 to 15 output channels, an even number of frames. Gain: conv1 is 1.6 times as fast for 8
channels; with pairs kept to pool1, bfloat16 prediction takes 0.94 of the time.
Fewer channels, and CUDA, go by taps (temporal_conv.py).
Test: tests/models/ops/test_stem_conv.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.ops.channels_last import as_clips, as_frames, channels_last
from avdet.models.ops.precision import conv1_autocast, conv_dtype
from avdet.models.ops.small_channel_bn import MIN_CHANNELS_LAST
from avdet.models.ops.temporal_conv import conv3d_by_taps

__all__ = ["conv3d_by_pairs", "conv_bn_relu_pool"]

VECTOR = 16  # channels that AVX-512 computes at once


def conv_bn_relu_pool(clips: Tensor, conv: nn.Conv3d, norm: nn.Module) -> Tensor:
    """pool1(relu(norm(conv(clips)))): (B, 3, T, H, W) -> (B, C, T, H/4, W/4), with pool1 a 1 x 3 x 3 of stride 2.

    norm: a batch norm, or nn.Identity once it is folded into `conv`.
    """
    channels = conv.out_channels
    x = as_frames(_convolve(clips, conv))  # (B*T / n, n*C, H/2, W/2), n = 1 or 2 frames side by side
    x = F.max_pool2d(_norm_per_frame(x, norm, channels), 3, 2, 1)
    x = _split_frames(F.relu_(x), channels)  # ReLU after pooling: the same values from a quarter of the work
    return as_clips(channels_last(x), clips.shape[2])


def _convolve(clips: Tensor, conv: nn.Conv3d) -> Tensor:
    if not clips.is_cpu:
        return conv3d_by_taps(clips, conv, torch.channels_last)
    with conv1_autocast():
        if conv.out_channels < MIN_CHANNELS_LAST:
            x = conv3d_by_taps(clips, conv, torch.contiguous_format)
        elif conv.out_channels < VECTOR and clips.shape[2] % 2 == 0:
            x = conv3d_by_pairs(clips, conv)
        else:
            x = conv(clips)
    return x.to(conv_dtype(clips))


def conv3d_by_pairs(clips: Tensor, conv: nn.Conv3d) -> Tensor:
    """conv1 of (B, 3, T, H, W) as (B, 2*C, T / 2, H/2, W/2): the channels of even frames, then of odd ones.

    The odd frame's kernel starts one frame later, so each kernel is padded by a frame of zeros.
    """
    weight = torch.cat([F.pad(conv.weight, (0, 0, 0, 0, 0, 1)), F.pad(conv.weight, (0, 0, 0, 0, 1, 0))])
    bias = None if conv.bias is None else conv.bias.repeat(2)
    return F.conv3d(clips, weight, bias, (2, 2, 2), conv.padding)


def _norm_per_frame(x: Tensor, norm: nn.Module, channels: int) -> Tensor:
    """`norm` of (B*T / n, n*C, H, W), with the n frames read as one of n times the width."""
    batch, stacked, height, width = x.shape
    wide = x.permute(0, 2, 3, 1).reshape(batch, height, -1, channels)
    wide = norm(wide.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return wide.reshape(batch, height, width, stacked).permute(0, 3, 1, 2)


def _split_frames(x: Tensor, channels: int) -> Tensor:
    """(B*T / n, n*C, H, W) -> (B*T, C, H, W)"""
    split = x.permute(0, 2, 3, 1).unflatten(3, (-1, channels))  # (B*T / n, H, W, n, C)
    return split.permute(0, 3, 1, 2, 4).flatten(0, 1).permute(0, 3, 1, 2)
