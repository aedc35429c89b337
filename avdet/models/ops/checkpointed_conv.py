"""A cheap 1 x 1 convolution and its batch norm in training, without keeping the convolution's output.

A batch norm keeps its input for the backward pass. Here that input is computed again from the convolution's input,
which is kept anyway.

Where: training, all devices and dtypes; 1 x 1 convolutions with at most 128 input channels, whose recomputation costs
little. Gain: less memory; the amount is not recorded.
Test: tests/models/ops/test_checkpointed_conv.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from avdet.models.ops.small_channel_bn import MIN_CHANNELS_LAST
from avdet.models.ops.sync_batch_norm import is_synchronized

__all__ = ["checkpointed_conv_bn", "recomputes"]

MAX_MULTIPLY_ADDS = 128  # per output value, up to which it is computed twice


def recomputes(conv: nn.Conv2d, norm: _BatchNorm) -> bool:
    """Whether norm(conv(x)) is to be computed by `checkpointed_conv_bn` in training."""
    if not torch.is_grad_enabled() or is_synchronized(norm) or conv.kernel_size != (1, 1):
        return False
    return conv.in_channels <= MAX_MULTIPLY_ADDS and conv.out_channels >= MIN_CHANNELS_LAST


def checkpointed_conv_bn(x: Tensor, conv: nn.Conv2d, norm: _BatchNorm, stride: tuple[int, ...]) -> Tensor:
    """norm(conv(x)) in training, with the same gradients and running statistics. `stride` replaces that of `conv`."""
    assert norm.training and norm.momentum is not None and norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    y: Tensor = _CheckpointedConvNorm.apply(x, conv.weight, norm.weight, norm.bias, norm, stride)  # type: ignore[no-untyped-call]
    return y


class _CheckpointedConvNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        x: Tensor,
        weight: Tensor,
        scale: Tensor,
        shift: Tensor,
        norm: _BatchNorm,
        stride: tuple[int, ...],
    ) -> Tensor:
        device = x.device.type
        if torch.is_autocast_enabled(device):
            x = x.to(torch.get_autocast_dtype(device))
        z = F.conv2d(x, weight.to(x.dtype), None, stride)
        y, mean, invstd = torch.native_batch_norm(
            z, scale, shift, norm.running_mean, norm.running_var, True, norm.momentum or 0.0, norm.eps
        )
        ctx.save_for_backward(x, weight, scale, mean, invstd)
        ctx.stride, ctx.eps = stride, norm.eps  # type: ignore[attr-defined]
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, scale, mean, invstd = ctx.saved_tensors  # type: ignore[attr-defined]
        stride: tuple[int, ...] = ctx.stride  # type: ignore[attr-defined]
        eps: float = ctx.eps  # type: ignore[attr-defined]
        z = F.conv2d(x, weight.to(x.dtype), None, stride)
        grad_z, grad_scale, grad_shift = torch.ops.aten.native_batch_norm_backward(
            grads[0], z, scale, None, None, mean, invstd, True, eps, [True, True, True]
        )
        needed = [ctx.needs_input_grad[0], True, False]  # type: ignore[attr-defined]
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            grad_z, x, weight.to(x.dtype), None, stride, [0, 0], [1, 1], False, [0, 0], 1, needed
        )
        return grad_x, grad_weight.to(weight.dtype), grad_scale, grad_shift, None, None
