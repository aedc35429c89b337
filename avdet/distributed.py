"""Everything that crosses processes: who this process is, and collective operations on values, lists and buffers.

torchrun starts the processes; a single process needs no launcher. A method that says "collective" must be called on
every process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

__all__ = [
    "DistributedContext",
    "any_process",
    "average_buffers",
    "distributed_context",
    "is_single_process",
    "mean_count",
    "num_cores",
    "reserve_worker_cores",
]

Item = TypeVar("Item")


@dataclass(frozen=True)
class DistributedContext:
    """The rank of this process among `world_size` processes, and its device."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and the log."""
        return self.rank == 0

    def any(self, value: bool) -> bool:
        """Whether `value` is true on any process. Collective."""
        if self.world_size == 1:
            return value
        flag = torch.tensor([value], dtype=torch.int32, device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def mean(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The mean of each value over the processes; all values have one shape. Collective."""
        if self.world_size == 1:
            return dict(values)
        stacked = torch.stack([value.float() for value in values.values()])
        dist.all_reduce(stacked)
        return dict(zip(values, stacked / self.world_size, strict=True))

    def all_gather(self, items: list[Item]) -> list[Item]:
        """The items of all processes in the order of their ranks, on every process. Collective."""
        if self.world_size == 1:
            return items
        lists: list[list[Item]] = [[] for _ in range(self.world_size)]
        dist.all_gather_object(lists, items)
        return [item for items_of_rank in lists for item in items_of_rank]

    def main_first(self, work: Callable[[], object]) -> None:
        """Runs `work` on the main process, then on the others, which find its files. Collective."""
        if self.is_main:
            work()
        if self.world_size > 1:
            dist.barrier()
        if not self.is_main:
            work()


@contextmanager
def distributed_context(
    *, backend: str | None = None, timeout: timedelta | None = None
) -> Iterator[DistributedContext]:
    """Joins the process group that torchrun's environment variables describe; without them there is one process.

    backend: by default NCCL on GPUs and gloo on CPUs. timeout: of a collective operation; by default torch's.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world_size > 1:
        _init_process_group(backend or ("nccl" if device.type == "cuda" else "gloo"), timeout)
    try:
        yield DistributedContext(rank, world_size, device)
    finally:
        if world_size > 1:
            dist.destroy_process_group()


def _init_process_group(backend: str, timeout: timedelta | None) -> None:
    """Uses a store prefix of its own per start: after a restart, torchrun's store still holds the old addresses."""
    store, rank, world_size = next(rendezvous("env://"))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    prefixed = PrefixStore(f"start_{attempt}", store)
    dist.init_process_group(backend, store=prefixed, rank=rank, world_size=world_size, timeout=timeout)


def average_buffers(module: nn.Module, process: DistributedContext) -> None:
    """Replaces batch norm statistics by their mean over the processes. Collective."""
    if process.world_size == 1:
        return
    for buffer in module.buffers():
        if buffer.is_floating_point():
            dist.all_reduce(buffer)
            buffer.div_(process.world_size)


def num_cores() -> int:
    """The cores that this process may use, of those that the processes of its machine share."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, allowed // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def reserve_worker_cores(workers: int) -> None:
    """Limits torch's threads on the CPU to the cores that the data loader's workers leave free.

    Threads wait for each other, so a worker that delays one of them delays all. OMP_NUM_THREADS takes precedence.
    """
    if not torch.cuda.is_available() and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, num_cores() - workers))


def is_single_process() -> bool:
    """Whether this process computes alone."""
    return not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def mean_count(count: Tensor | int, device: torch.device) -> Tensor:
    """A number of rows averaged over the processes in training; at least 1 / processes.

    Dividing each process's sum by it gives the mean over all rows once DDP has averaged the gradients, however unevenly
    the rows are distributed.
    """
    total = torch.as_tensor(count, dtype=torch.float32, device=device)
    if is_single_process() or not torch.is_grad_enabled():
        return total.clamp(min=1)
    total = total.clone()
    dist.all_reduce(total)
    return total.clamp(min=1) / dist.get_world_size()


def any_process(flags: list[bool], device: torch.device) -> list[bool]:
    """For each flag, whether it is set in any process."""
    if is_single_process():
        return flags
    votes = torch.tensor(flags, dtype=torch.int32, device=device)
    dist.all_reduce(votes, dist.ReduceOp.MAX)
    return [bool(vote) for vote in votes]
