"""One process or many: torchrun starts them, this module tells each who it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

__all__ = ["Process", "average_buffers", "distributed", "gather_lists", "leave_cores_to"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Process:
    """This process among all: `rank` of `world`, and the device that is its own."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def any(self, here: bool) -> bool:
        """Whether it is so in any process: one that is told to stop stops all."""
        if self.world == 1:
            return here
        flag = torch.tensor([here], dtype=torch.int32, device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def mean(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each value's mean over the processes."""
        if self.world == 1:
            return dict(values)
        together = torch.stack([value.float() for value in values.values()])
        dist.all_reduce(together)
        return dict(zip(values, together / self.world, strict=True))

    def main_first(self, work: Callable[[], object]) -> None:
        """Every process does the work, the others after the main one: they find what it made."""
        if self.is_main:
            work()
        if self.world > 1:
            dist.barrier()
        if not self.is_main:
            work()


@contextmanager
def distributed() -> Iterator[Process]:
    """Joins the group that torchrun's environment describes; without torchrun the process is alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world > 1:
        _meet("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Process(rank, world, device)
    finally:
        if world > 1:
            dist.destroy_process_group()


def _meet(backend: str) -> None:
    """After a restart torchrun's store still holds the addresses of the processes that were; so each start has its own
    part of it.
    """
    store, rank, world = next(rendezvous("env://"))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    dist.init_process_group(backend, store=PrefixStore(f"start_{attempt}", store), rank=rank, world_size=world)


def leave_cores_to(workers: int) -> None:
    """On the CPU, torch's threads wait for one another: one that a loader's worker keeps waiting delays them all.

    OMP_NUM_THREADS, which users and torchrun set, has the last word.
    """
    if not torch.cuda.is_available() and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - workers))


def gather_lists(mine: list[Item], process: Process) -> list[Item]:
    """The lists of all processes one after another, on every process."""
    if process.world == 1:
        return mine
    parts: list[list[Item] | None] = [None] * process.world
    dist.all_gather_object(parts, mine)
    return [item for part in parts if part is not None for item in part]


def average_buffers(module: nn.Module, process: Process) -> None:
    """Batch norm statistics become the mean over the processes, each of which saw clips of its own."""
    if process.world == 1:
        return
    for buffer in module.buffers():
        if buffer.is_floating_point():
            dist.all_reduce(buffer)
            buffer.div_(process.world)
