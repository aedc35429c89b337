"""Training with less memory: what a cheap convolution gives its batch norm is computed twice and not kept."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F


def conv_then_norm(x: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Tensor:
    """norm(conv(x)) in training, with the same gradients and running statistics.

    A batch norm keeps its input for its gradient. The convolution before it made that from an input that is kept as
    well, so it can be made again from there.
    """
    assert norm.training and norm.momentum is not None and norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    y: Tensor = _ConvThenNorm.apply(x, conv.weight, norm.weight, norm.bias, conv, norm)  # type: ignore[no-untyped-call]
    return y


def _convolve(x: Tensor, weight: Tensor, conv: nn.Conv2d) -> Tensor:
    return F.conv2d(x, weight.to(x.dtype), None, conv.stride, conv.padding, conv.dilation)


class _ConvThenNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, weight: Tensor, scale: Tensor, shift: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d
    ) -> Tensor:
        kind = x.device.type
        if torch.is_autocast_enabled(kind):
            x = x.to(torch.get_autocast_dtype(kind))
        z = _convolve(x, weight, conv)
        y, mean, invstd = torch.native_batch_norm(
            z, scale, shift, norm.running_mean, norm.running_var, True, norm.momentum or 0.0, norm.eps
        )
        ctx.save_for_backward(x, weight, scale, mean, invstd)
        ctx.conv, ctx.eps = conv, norm.eps  # type: ignore[attr-defined]
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, scale, mean, invstd = ctx.saved_tensors  # type: ignore[attr-defined]
        conv: nn.Conv2d = ctx.conv  # type: ignore[attr-defined]
        eps: float = ctx.eps  # type: ignore[attr-defined]
        z = _convolve(x, weight, conv)
        grad_z, grad_scale, grad_shift = torch.ops.aten.native_batch_norm_backward(
            grads[0], z, scale, None, None, mean, invstd, True, eps, [True, True, True]
        )
        needed = [ctx.needs_input_grad[0], True, False]  # type: ignore[attr-defined]
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            grad_z, x, weight.to(x.dtype), None, conv.stride, conv.padding, conv.dilation, False, [0, 0], 1, needed
        )
        return grad_x, grad_weight.to(weight.dtype), grad_scale, grad_shift, None, None
