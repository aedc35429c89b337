"""Batch norm with the statistics of all processes' batches, so that N processes train as one with the whole batch.

On GPUs this is torch's nn.SyncBatchNorm. For CPUs torch has none; `sync_batch_norm` is an exact one by all-reduces.

Where: training. Gain: exactness, not speed (gradients equal nn.BatchNorm2d's to 1e-12 in float64, one process).
Test: tests/models/ops/test_sync_batch_norm.py.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from avdet.distributed import is_single_process

__all__ = ["Synchronizable", "convert_sync_batchnorm", "is_synchronized", "sync_batch_norm"]


class Synchronizable:
    """A module that in training can act on the batches of all processes; `convert_sync_batchnorm` switches it on."""

    synchronized = False


def convert_sync_batchnorm(model: nn.Module) -> None:
    """Synchronises in place the batch norms of `model`, and with them DropPathway.

    Batch norms that span processes need every process, so all must drop the Audio pathway in the same iterations.
    """
    for module in model.modules():
        if isinstance(module, Synchronizable):
            module.synchronized = True
    if torch.cuda.is_available():
        nn.SyncBatchNorm.convert_sync_batchnorm(model)


def is_synchronized(norm: nn.Module) -> bool:
    """Whether `norm` spans processes in training."""
    return isinstance(norm, nn.SyncBatchNorm) or (isinstance(norm, Synchronizable) and norm.synchronized)


def sync_batch_norm(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """`norm` of (B, C, ..) in training over all processes' batches; updates the running statistics."""
    single = is_single_process()
    values = x.to(torch.promote_types(x.dtype, torch.float32))
    dims = [0, *range(2, x.ndim)]
    count = torch.tensor(x.numel() // x.shape[1], dtype=values.dtype, device=x.device)
    sums = values.sum(dim=dims)
    if not single:
        dist.all_reduce(count)
        sums = all_reduce(sums)
    mean = _per_channel(sums / count, x)
    squares = (values - mean).square().sum(dim=dims)
    if not single:
        squares = all_reduce(squares)
    variance = squares / count
    _update_statistics(norm, mean.detach().flatten(), variance.detach() * count / (count - 1).clamp(min=1))
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return ((values - mean) * _per_channel(scale, x) + _per_channel(norm.bias, x)).to(x.dtype)


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    """(C,) -> (1, C, 1, ..)"""
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


@torch.no_grad()
def _update_statistics(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert norm.num_batches_tracked is not None and norm.running_mean is not None and norm.running_var is not None
    norm.num_batches_tracked.add_(1)
    share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance, share)
