"""What processes that train together agree on, so that many give the numbers of one."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

__all__ = ["any_process", "mean_count", "normalise_together"]


def _alone() -> bool:
    return not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def mean_count(count: Tensor | int, device: torch.device) -> Tensor:
    """A number of rows, averaged over the processes in training; at least 1 / processes.

    A sum over it is a mean over all rows once DDP has averaged the gradients, however unevenly the rows are shared.
    """
    total = torch.as_tensor(count, dtype=torch.float32, device=device)
    if _alone() or not torch.is_grad_enabled():
        return total.clamp(min=1)
    total = total.clone()
    dist.all_reduce(total)
    return total.clamp(min=1) / dist.get_world_size()


def any_process(flags: list[bool], device: torch.device) -> list[bool]:
    """Each flag: whether it is set in any process."""
    if _alone():
        return flags
    votes = torch.tensor(flags, dtype=torch.int32, device=device)
    dist.all_reduce(votes, dist.ReduceOp.MAX)
    return [bool(vote) for vote in votes]


def normalise_together(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """Batch norm (B, C, ..) in training with the statistics of all processes' batches; updates the running ones."""
    values = x.to(torch.promote_types(x.dtype, torch.float32))
    dims = [0, *range(2, x.ndim)]
    count = torch.tensor(x.numel() // x.shape[1], dtype=values.dtype, device=x.device)
    sums = values.sum(dim=dims)
    if not _alone():
        dist.all_reduce(count)
        sums = all_reduce(sums)
    mean = _per_channel(sums / count, x)
    squares = (values - mean).square().sum(dim=dims)
    if not _alone():
        squares = all_reduce(squares)
    variance = squares / count
    _note(norm, mean.detach().flatten(), variance.detach() * count / (count - 1).clamp(min=1))
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return ((values - mean) * _per_channel(scale, x) + _per_channel(norm.bias, x)).to(x.dtype)


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


@torch.no_grad()
def _note(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert norm.num_batches_tracked is not None and norm.running_mean is not None and norm.running_var is not None
    norm.num_batches_tracked.add_(1)
    share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance, share)
