"""What processes that train together share: batch norms' statistics, and the machine's cores."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import nn

from avdet.distributed import DistributedContext

__all__ = ["average_buffers", "reserve_worker_cores"]


def reserve_worker_cores(workers: int) -> None:
    """On the CPU, torch's threads wait for one another: one that a loader's worker keeps waiting delays them all.

    OMP_NUM_THREADS, which users and torchrun set, has the last word.
    """
    if not torch.cuda.is_available() and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - workers))


def average_buffers(module: nn.Module, process: DistributedContext) -> None:
    """Batch norm statistics become the mean over the processes, each of which saw clips of its own."""
    if process.world == 1:
        return
    for buffer in module.buffers():
        if buffer.is_floating_point():
            dist.all_reduce(buffer)
            buffer.div_(process.world)
