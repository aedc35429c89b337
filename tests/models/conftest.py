"""Two processes that train together over gloo, started once for all tests: importing torch takes them seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import pytest
import torch
import torch.distributed as dist

Work: TypeAlias = Callable[[int, Path], None]
RunTwice: TypeAlias = Callable[[Work, Path], None]


def _join_and_work(rank: int, work: Work, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    try:
        work(rank, folder)
    finally:
        dist.destroy_process_group()


@pytest.fixture(scope="session")
def in_two_processes() -> Iterator[RunTwice]:
    """A function that runs `work(rank, folder)` in two processes at once, each in a process group of both."""
    with ProcessPoolExecutor(2, get_context("forkserver")) as pool:

        def run(work: Work, folder: Path) -> None:
            for result in [pool.submit(_join_and_work, rank, work, folder) for rank in (0, 1)]:
                result.result(timeout=120)

        yield run
