"""Batch norm of few channels in training on a CPU, where torch's own gradient takes five to ten times as long."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

NARROW, WIDE = 16, 32  # channels; torch's kernels for channels-last memory run over channels, 16 at a time


def is_narrow(x: Tensor) -> bool:
    """Whether places of `x` (B, C, H, W) should, and can, stand beside each other as if they were channels."""
    if not x.is_cpu or x.shape[1] >= NARROW or not torch.is_grad_enabled():
        return False
    return x.numel() % _wide(x) == 0 and x.is_contiguous(memory_format=torch.channels_last)


def narrow_norm(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """`norm` in training of (B, C, H, W) that `is_narrow`, with the same gradients and running statistics."""
    assert norm.training and norm.momentum is not None and norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    y: Tensor = _NarrowNorm.apply(x, norm.weight, norm.bias, norm)  # type: ignore[no-untyped-call]
    return y


def _wide(x: Tensor) -> int:
    """k*C"""
    channels = x.shape[1]
    return WIDE // channels * channels


def _widened(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (1, k*C, B*H*W / k, 1) of the same memory"""
    return x.permute(0, 2, 3, 1).reshape(1, -1, 1, _wide(x)).permute(0, 3, 1, 2)


class _NarrowNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, scale: Tensor, shift: Tensor, norm: nn.BatchNorm2d) -> Tensor:
        y, mean, invstd = torch.native_batch_norm(
            x, scale, shift, norm.running_mean, norm.running_var, True, norm.momentum or 0.0, norm.eps
        )
        ctx.save_for_backward(x, scale, mean, invstd)
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """By z, x without mean and deviation: x's is scale / deviation * (grad - mean(grad) - z * mean(grad * z))."""
        x, scale, mean, invstd = ctx.saved_tensors  # type: ignore[attr-defined]
        batch, channels, height, width = x.shape
        together, places = _wide(x) // channels, batch * height * width
        grad = _widened(grads[0].contiguous(memory_format=torch.channels_last))
        wide = _widened(x)
        constants = [value.repeat(together) for value in (scale, mean, invstd.pow(-2))]
        _, *sums = torch.ops.aten.native_batch_norm_backward(
            grad, wide, *constants, None, None, False, 0.0, [False, True, True]
        )
        grad_scale, grad_shift = (each.unflatten(0, (together, channels)).sum(dim=0) for each in sums)
        by_grad = scale * invstd
        by_x = -by_grad * invstd * grad_scale / places
        rest = -by_grad * grad_shift / places - by_x * mean
        a, b, c = (value.repeat(together).to(x.dtype)[:, None, None] for value in (by_grad, by_x, rest))
        grad_x = torch.addcmul(c, grad, a).addcmul_(wide, b).permute(0, 2, 3, 1).reshape(batch, height, width, channels)
        return grad_x.permute(0, 3, 1, 2), grad_scale, grad_shift, None
