"""Convolutions over time or space with their batch norm, and the residual blocks made of them.

Axes: pictures (B*T, C, H, W), all clips' frames one after another, channels-last in memory, with T beside them where a
layer needs it; sound (K, C, T, F). A convolution over space alone is a 2-D one over frames, one over time alone a 2-D
one over (T, H*W) of that same memory: 2-D convolutions are much faster than 3-D ones on CPUs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.ops.checkpoint_block import checkpoint_block
from avdet.models.ops.checkpointed_conv import conv_then_norm
from avdet.models.ops.conv_bn_relu import conv_add_relu, fuses
from avdet.models.ops.small_channel_bn import is_narrow, narrow_norm
from avdet.models.ops.sync_batch_norm import normalise_together
from avdet.models.ops.temporal_conv import convolve_over_time

FEW = 8  # channels; torch's kernels for channels-last memory on CPUs run over channels and crawl where these are fewer
FEW_OVER_TIME = 32  # channels
CHEAP = 128  # multiply-adds for which a value is computed twice in training rather than kept


def as_frames(clips: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B*T, C, H, W)"""
    return clips.transpose(1, 2).flatten(0, 1)


def as_clips(frames: Tensor, steps: int) -> Tensor:
    """(B*T, C, H, W) -> (B, C, T, H, W)"""
    return torch.unflatten(frames, 0, (-1, steps)).transpose(1, 2)


class Norm(nn.BatchNorm2d):
    """Batch norm, in whichever memory layout is the faster one: 15 times so for two channels.

    together: in training over the batches of all processes; set by `convert_sync_batchnorm`.
    """

    together = False

    def forward(self, x: Tensor) -> Tensor:
        if self.together and self.training:
            return normalise_together(x, self)
        if self.num_features >= FEW and self.training and is_narrow(x):
            return narrow_norm(x, self)
        if self.num_features >= FEW or x.device.type != "cpu":
            return super().forward(x)
        return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)

    def constants(self) -> tuple[Tensor, Tensor]:
        """Scale and shift of a norm in evaluation mode, which a convolution can do on its way."""
        assert self.running_mean is not None and self.running_var is not None and not self.training
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        return scale, self.bias - self.running_mean * scale


class ConvNorm(nn.Module):
    """A 2-D convolution that keeps the size (but for its stride), batch norm and, unless told otherwise, ReLU.

    A residual is added before the ReLU.
    """

    _gaps = False  # between the windows

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
        # Of a strided 1 x 1 with fewer than 8 input channels torch's gradient corrupts the heap (2.12, oneDNN, AVX2,
        # channels-last); so the places are picked before.
        self._pick = stride if kernel == (1, 1) and stride != (1, 1) and dim_in < FEW else None
        steps = (1, 1) if self._pick else stride
        padding = (dilation * (kernel[0] // 2), dilation * (kernel[1] // 2))
        self.conv = nn.Conv2d(dim_in, dim_out, kernel, steps, padding, dilation, bias=False)
        # With a batch of one the layout of an input can be read both ways; then that of the weights decides.
        self.conv.weight = nn.Parameter(self.conv.weight.contiguous(memory_format=torch.channels_last))
        self.norm: Norm | nn.Identity = Norm(dim_out)
        self.relu = relu
        self._cheap = dim_out >= FEW and kernel == (1, 1) and dim_in <= CHEAP

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        conv, norm = self.conv, self.norm
        if self._pick is not None:
            x = x[:, :, :: self._pick[0], :: self._pick[1]]
        if isinstance(norm, Norm) and norm.training:
            if self._cheap and torch.is_grad_enabled() and not norm.together:
                y = conv_then_norm(x, conv, norm)
            else:
                y = norm(self._convolve(x, conv.weight, None))
        else:
            weight, bias = conv.weight, conv.bias
            if isinstance(norm, Norm):
                scale, bias = norm.constants()
                weight = weight * scale[:, None, None, None]
            if bias is not None and self.relu and not self._gaps and fuses(x):
                return conv_add_relu(x, weight, bias, residual, conv)
            y = self._convolve(x, weight, bias)
        if residual is not None:
            y = y.add_(residual)  # nobody else needs what the convolution gave
        return F.relu_(y) if self.relu else y

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        conv = self.conv
        return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation)


class TemporalConv(ConvNorm):
    """k x 1 x 1: over the T frames of each clip."""

    def __init__(self, dim_in: int, dim_out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__(dim_in, dim_out, (kernel, 1), stride=(stride, 1))
        self._gaps = stride > kernel
        self._few = stride == 1 and dim_in <= FEW_OVER_TIME

    def over(self, frames: Tensor, steps: int) -> Tensor:
        """(B*T, C, H, W) -> (B*T / stride, C', H, W)"""
        places = torch.unflatten(frames.flatten(2), 0, (-1, steps)).transpose(1, 2)  # (B, C, T, H*W)
        y = self(places).transpose(1, 2).flatten(0, 1)
        return torch.unflatten(y, 2, frames.shape[2:])

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Around two faults of libraries.

        cuDNN takes four times as long as tap by tap for the gradient of a few channels in bfloat16 (H200).
        Where strides leave gaps between the windows, these are cut out, and the kernel is one over their channels:
        torch's own strided convolution gives wrong numbers or corrupts memory on CPUs (2.12, oneDNN, channels-last,
        float32 and bfloat16) with one column and a stride well over the kernel: A->FS's second convolution is so.
        """
        if self._few and x.is_cuda and x.dtype == torch.bfloat16 and torch.is_grad_enabled() and bias is None:
            return convolve_over_time(x, weight)
        if not self._gaps:
            return super()._convolve(x, weight, bias)
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        windows = F.pad(x, (0, 0, kernel // 2, kernel // 2)).unfold(2, kernel, stride)  # (B, C, T / stride, W, kernel)
        stacked = windows.permute(0, 2, 3, 4, 1).contiguous().flatten(3)  # (B, T / stride, W, kernel*C)
        return F.conv2d(stacked.permute(0, 3, 1, 2), weight.transpose(1, 2).flatten(1)[:, :, None, None], bias)


class Bottleneck(nn.Module):
    """The branch of a visual block: k x 1 x 1, 1 x 3 x 3 with the stride, 1 x 1 x 1 (paper, table 1); see Residual."""

    def __init__(
        self, dim_in: int, dim_inner: int, dim_out: int, *, temporal_kernel: int, stride: int, dilation: int
    ) -> None:
        super().__init__()
        temporal = temporal_kernel > 1
        self.a = TemporalConv(dim_in, dim_inner, temporal_kernel) if temporal else ConvNorm(dim_in, dim_inner)
        self.b = ConvNorm(dim_inner, dim_inner, (3, 3), stride=(stride, stride), dilation=dilation)
        self.c = ConvNorm(dim_inner, dim_out)

    def forward(self, frames: Tensor, residual: Tensor, steps: int) -> Tensor:
        x = self.a.over(frames, steps) if isinstance(self.a, TemporalConv) else self.a(frames)
        return self.c(self.b(x), residual)


class AudioBottleneck(nn.Module):
    """The branch of a block of the Audio pathway's res4 and res5: 1 x 1, 3 x 3 with the stride, 1 x 1."""

    def __init__(self, dim_in: int, dim_inner: int, dim_out: int, *, stride: int) -> None:
        super().__init__()
        self.a = ConvNorm(dim_in, dim_inner)
        self.b = ConvNorm(dim_inner, dim_inner, (3, 3), stride=(stride, stride))
        self.c = ConvNorm(dim_inner, dim_out)

    def forward(self, sound: Tensor, residual: Tensor) -> Tensor:
        return self.c(self.b(self.a(sound)), residual)


class SeparableBranch(nn.Module):
    """The branch of a block of the Audio pathway's res2 and res3: time and frequency apart, then 1 x 1."""

    def __init__(self, dim_in: int, dim_inner: int, dim_out: int, *, stride: int) -> None:
        super().__init__()
        self.time = ConvNorm(dim_in, dim_inner, (3, 1), stride=(stride, stride))
        self.frequency = ConvNorm(dim_in, dim_inner, (1, 3), stride=(stride, stride))
        self.c = ConvNorm(2 * dim_inner, dim_out)

    def forward(self, sound: Tensor, residual: Tensor) -> Tensor:
        return self.c(torch.cat([self.time(sound), self.frequency(sound)], dim=1), residual)


class Residual(nn.Module):
    """relu(branch(x) + shortcut(x)). The first block of a stage changes size and width: its shortcut is a 1 x 1.

    The branch's last layer adds and cuts, which a GPU then does in one kernel.

    forgets: its inner values are made again for the gradient and not kept; set by `activation_checkpointing`.
    """

    checkpoints_activations = False

    def __init__(self, branch: Bottleneck | AudioBottleneck | SeparableBranch, shortcut: ConvNorm | None) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor, *steps: int) -> Tensor:
        """`steps`: T, for pictures."""
        if self.checkpoints_activations and self.training and torch.is_grad_enabled():
            return checkpoint_block(self, x, *steps)
        return self.branch_and_sum(x, *steps)

    def branch_and_sum(self, x: Tensor, *steps: int) -> Tensor:
        return self.branch(x, x if self.shortcut is None else self.shortcut(x), *steps)
