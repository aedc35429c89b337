"""One process or many: torchrun starts them, this module tells each who it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

__all__ = ["DistributedContext", "distributed"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class DistributedContext:
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

    def gather(self, mine: list[Item]) -> list[Item]:
        """The lists of all processes one after another, on every process, once all have theirs."""
        if self.world == 1:
            return mine
        parts: list[list[Item]] = [[] for _ in range(self.world)]
        dist.all_gather_object(parts, mine)
        return [item for part in parts for item in part]

    def main_first(self, work: Callable[[], object]) -> None:
        """Every process does the work, the others after the main one: they find what it made."""
        if self.is_main:
            work()
        if self.world > 1:
            dist.barrier()
        if not self.is_main:
            work()


@contextmanager
def distributed(*, backend: str | None = None, patience: timedelta | None = None) -> Iterator[DistributedContext]:
    """Joins the group that torchrun's environment describes; without torchrun the process is alone.

    backend: None is NCCL on GPUs and gloo elsewhere. patience: how long one waits for another; None is torch's.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world > 1:
        _meet(backend or ("nccl" if device.type == "cuda" else "gloo"), patience)
    try:
        yield DistributedContext(rank, world, device)
    finally:
        if world > 1:
            dist.destroy_process_group()


def _meet(backend: str, patience: timedelta | None) -> None:
    """After a restart torchrun's store still holds the addresses of the processes that were; so each start has its own
    part of it.
    """
    store, rank, world = next(rendezvous("env://"))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    own = PrefixStore(f"start_{attempt}", store)
    dist.init_process_group(backend, store=own, rank=rank, world_size=world, timeout=patience)
