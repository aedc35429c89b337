"""conv1 (and pool1) of the pathways. Axes: pictures (B, C, T, H, W), sound (K, 1, T, F)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.blocks import FEW, Norm, as_clips, as_frames
from avdet.models.ops.conv_bn_relu import precision
from avdet.models.ops.temporal_conv import sum_taps

AT_ONCE = 16  # channels: as many as AVX-512 computes at once
AMX = torch.cpu._is_amx_tile_supported()  # multiplies 32 channels of bfloat16 at once, so that it idles at three


class VisualStem(nn.Module):
    """conv1 (k x 7 x 7, stride 1 x 2 x 2) and pool1 (1 x 3 x 3, stride 1 x 2 x 2)."""

    def __init__(self, dim_out: int, temporal_kernel: int) -> None:
        super().__init__()
        kernel, padding = (temporal_kernel, 7, 7), (temporal_kernel // 2, 3, 3)
        self.conv = nn.Conv3d(3, dim_out, kernel, (1, 2, 2), padding, bias=False)
        self.conv.weight = nn.Parameter(self.conv.weight.contiguous(memory_format=torch.channels_last_3d))
        self.norm: Norm | nn.Identity = Norm(dim_out)

    def forward(self, pictures: Tensor) -> Tensor:
        if pictures.device.type == "cpu":
            with torch.autocast("cpu", enabled=torch.is_autocast_enabled("cpu") and not AMX):
                x = self._on_cpu(pictures)
            x = x.to(precision(pictures))
        else:
            x = self._by_taps(pictures, torch.channels_last)
        frames = F.max_pool2d(self._normalised(as_frames(x)), 3, 2, 1)
        frames = self._one_by_one(F.relu_(frames))  # in this order ReLU has a quarter of the work
        return as_clips(frames.contiguous(memory_format=torch.channels_last), pictures.shape[2])

    def _normalised(self, frames: Tensor) -> Tensor:
        """Of frames (B*T, C, H, W), or of pairs (B*T / 2, 2*C, H, W): pictures of twice as many places, in memory."""
        batch, channels, height, width = frames.shape
        places = frames.permute(0, 2, 3, 1).reshape(batch, height, -1, self.conv.out_channels)
        places = self.norm(places.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return places.reshape(batch, height, width, channels).permute(0, 3, 1, 2)

    def _one_by_one(self, frames: Tensor) -> Tensor:
        """Pairs (B*T / 2, 2*C, H, W) as frames (B*T, C, H, W); frames as they are."""
        apart = frames.permute(0, 2, 3, 1).unflatten(3, (-1, self.conv.out_channels))  # (B*T / n, H, W, n, C)
        return apart.permute(0, 3, 1, 2, 4).flatten(0, 1).permute(0, 3, 1, 2)

    def _on_cpu(self, pictures: Tensor) -> Tensor:
        if self.conv.out_channels < FEW:
            return self._by_taps(pictures, torch.contiguous_format)
        if self.conv.out_channels < AT_ONCE and pictures.shape[2] % 2 == 0:
            return self._by_pairs(pictures)
        x: Tensor = self.conv(pictures)
        return x

    def _by_pairs(self, pictures: Tensor) -> Tensor:
        """The same convolution, two frames at a time as twice the channels: 1.6 times as fast for 8 of them.

        (B, 2*C, T / 2, H, W). The second frame's kernel lies a step later, so each gets one tap of zeros.
        """
        conv, weight = self.conv, self.conv.weight
        both = torch.cat([F.pad(weight, (0, 0, 0, 0, 0, 1)), F.pad(weight, (0, 0, 0, 0, 1, 0))])
        bias = None if conv.bias is None else conv.bias.repeat(2)
        return F.conv3d(pictures, both, bias, (2, 2, 2), conv.padding)

    def _by_taps(self, pictures: Tensor, layout: torch.memory_format) -> Tensor:
        """The same convolution as a 2-D one over frames; `layout` is that of its result's frames."""
        batch, _, steps = pictures.shape[:3]
        taps = self.conv.weight.permute(2, 0, 1, 3, 4).flatten(0, 1)  # (k*C, 3, 7, 7)
        frames = F.conv2d(as_frames(pictures), taps, stride=2, padding=3)
        shape = (batch, steps, self.conv.kernel_size[0], self.conv.out_channels, *frames.shape[2:])
        x = sum_taps(frames.view(shape), layout).transpose(1, 2)
        return x if self.conv.bias is None else x + self.conv.bias[:, None, None, None]


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
