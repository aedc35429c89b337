"""Several processes share a list of videos: torchrun starts them, each takes every n-th."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

__all__ = ["Share", "sharing"]

Item = TypeVar("Item")
_PATIENCE = timedelta(days=365)  # who is done first waits until the last one is


@dataclass(frozen=True)
class Share:
    """This process among all, and the device that is its own."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        return items[self.rank :: self.world]

    def gather(self, mine: list[Item]) -> list[Item]:
        """The lists of all processes one after another, once all have theirs."""
        if self.world == 1:
            return mine
        lists: list[list[Item]] = [[] for _ in range(self.world)]
        dist.all_gather_object(lists, mine)
        return [item for items in lists for item in items]


@contextmanager
def sharing() -> Iterator[Share]:
    """As torchrun's environment says; without torchrun the process is alone. They only pass lists, so gloo will do."""
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("gloo", timeout=_PATIENCE)
    try:
        yield Share(rank, world, device)
    finally:
        if world > 1:
            dist.destroy_process_group()
