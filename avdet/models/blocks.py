"""Convolutions over time or space with their batch norm, and the residual blocks made of them.

Axes: pictures (B, C, T, H, W), channels-last in memory; sound (K, C, T, F). A convolution over space alone is a
2-D one over B*T pictures and one over time alone a 2-D one over (T, H*W): both are views of that memory, and 2-D
convolutions are several times faster than 3-D ones on CPUs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEW = 8  # channels; torch's kernels for channels-last memory on CPUs run over channels and crawl where these are fewer


class Norm(nn.BatchNorm2d):
    """Batch norm, in whichever memory layout is the faster one: 15 times so for two channels."""

    def forward(self, x: Tensor) -> Tensor:
        if self.num_features >= FEW or x.device.type != "cpu":
            return super().forward(x)
        return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)


class ConvNorm(nn.Module):
    """A 2-D convolution that keeps the size (but for its stride), batch norm and, unless told otherwise, ReLU."""

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
        self.conv = nn.Conv2d(dim_in, dim_out, kernel, stride, padding, dilation, bias=False)
        self.norm = Norm(dim_out)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(x)) if self.norm.training else self._folded(x)
        return F.relu_(y) if self.relu else y

    def _folded(self, x: Tensor) -> Tensor:
        """In evaluation the norm is a constant scale and shift, which the convolution can do on its way."""
        norm, conv = self.norm, self.conv
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        weight = conv.weight * scale[:, None, None, None]
        return F.conv2d(x, weight, shift, conv.stride, conv.padding, conv.dilation)


class SpatialConv(ConvNorm):
    """1 x k x k on (B, C, T, H, W)."""

    def __init__(
        self, dim_in: int, dim_out: int, kernel: int = 1, *, stride: int = 1, dilation: int = 1, relu: bool = True
    ) -> None:
        super().__init__(dim_in, dim_out, (kernel, kernel), stride=(stride, stride), dilation=dilation, relu=relu)

    def forward(self, x: Tensor) -> Tensor:
        frames = super().forward(x.transpose(1, 2).flatten(0, 1))  # (B*T, C, H, W)
        return torch.unflatten(frames, 0, (x.shape[0], x.shape[2])).transpose(1, 2)


class TemporalConv(ConvNorm):
    """k x 1 x 1 on (B, C, T, H, W)."""

    def __init__(self, dim_in: int, dim_out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__(dim_in, dim_out, (kernel, 1), stride=(stride, 1))

    def forward(self, x: Tensor) -> Tensor:
        places = super().forward(x.flatten(3))  # (B, C, T, H*W)
        return torch.unflatten(places, 3, x.shape[3:])


class Residual(nn.Module):
    """relu(shortcut(x) + branch(x)); the branch's last batch norm starts at zero, so a new block changes nothing."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.shortcut(x) + self.branch(x))


class Bottleneck(nn.Sequential):
    """The branch of a visual block: k x 1 x 1, 1 x 3 x 3 with the stride, 1 x 1 x 1 (paper, table 1)."""

    def __init__(
        self, dim_in: int, dim_inner: int, dim_out: int, *, temporal_kernel: int, stride: int, dilation: int
    ) -> None:
        super().__init__()
        if temporal_kernel == 1:
            self.a: ConvNorm = SpatialConv(dim_in, dim_inner)
        else:
            self.a = TemporalConv(dim_in, dim_inner, temporal_kernel)
        self.b = SpatialConv(dim_inner, dim_inner, 3, stride=stride, dilation=dilation)
        self.c = SpatialConv(dim_inner, dim_out, relu=False)


class AudioBottleneck(nn.Sequential):
    """The branch of a block of the Audio pathway's res4 and res5: 1 x 1, 3 x 3 with the stride, 1 x 1."""

    def __init__(self, dim_in: int, dim_inner: int, dim_out: int, *, stride: int) -> None:
        super().__init__()
        self.a = ConvNorm(dim_in, dim_inner)
        self.b = ConvNorm(dim_inner, dim_inner, (3, 3), stride=(stride, stride))
        self.c = ConvNorm(dim_inner, dim_out, relu=False)


class SeparableBranch(nn.Module):
    """The branch of a block of the Audio pathway's res2 and res3: time and frequency apart, then 1 x 1."""

    def __init__(self, dim_in: int, dim_inner: int, dim_out: int, *, stride: int) -> None:
        super().__init__()
        self.time = ConvNorm(dim_in, dim_inner, (3, 1), stride=(stride, stride))
        self.frequency = ConvNorm(dim_in, dim_inner, (1, 3), stride=(stride, stride))
        self.c = ConvNorm(2 * dim_inner, dim_out, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(torch.cat([self.time(x), self.frequency(x)], dim=1))
