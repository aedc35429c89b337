"""Stages that overlap: one computes its next items in a thread while another uses the last ones."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice
from typing import TypeVar

__all__ = ["StageTimes", "prefetch", "prefetch_chunks"]

Item = TypeVar("Item")
_END = object()


def prefetch(items: Generator[Item, None, None], size: int = 1) -> Generator[Item, None, None]:
    """Yields the items in order, at most `size` of which a thread computes ahead.

    An error of the thread is raised after the items before it. The generator runs in that thread alone, which ends
    after its current item when the caller stops.
    """
    with ThreadPoolExecutor(1) as thread:
        ahead: deque[Future[Item]] = deque(thread.submit(next, items, _END) for _ in range(size))  # type: ignore[arg-type]
        try:
            while (item := ahead.popleft().result()) is not _END:
                ahead.append(thread.submit(next, items, _END))  # type: ignore[arg-type]
                yield item
        finally:
            for future in ahead:
                future.cancel()
            thread.submit(items.close)


def prefetch_chunks(items: Generator[Item, None, None], sizes: Sequence[int]) -> Generator[list[Item], None, None]:
    """Yields the items in lists of the given sizes; a thread computes the next list meanwhile."""
    with closing(prefetch(items, max(sizes, default=1))) as ahead:
        for size in sizes:
            yield list(islice(ahead, size))


class StageTimes:
    """How long each stage is busy; stages that overlap are busy at once.

    >>> for frames in prefetch(times.each("decode", read(video))):
    ...     with times("actions"):
    ...         score(frames)
    >>> str(times)
    'decode 21 %, actions 78 %'
    """

    def __init__(self) -> None:
        self.busy_s: defaultdict[str, float] = defaultdict(float)
        self._start = time.perf_counter()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Adds the time of the block to the stage, each of which runs in one thread."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.busy_s[stage] += time.perf_counter() - start

    def each(self, stage: str, items: Iterable[Item]) -> Generator[Item, None, None]:
        """Yields the items, and adds the time that each takes to the stage."""
        iterator = iter(items)
        while True:
            with self(stage):
                item = next(iterator, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]

    def __str__(self) -> str:
        """Each stage's share of the time since the start; the largest one limits the speed."""
        elapsed_s = max(time.perf_counter() - self._start, 1e-9)
        return ", ".join(f"{stage} {100 * busy_s / elapsed_s:.0f} %" for stage, busy_s in list(self.busy_s.items()))
