"""What a loop says while it runs: a bar on a terminal; the log lines stand above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["CONSOLE", "Stopwatch", "counting_bars", "progress_bar"]

Item = TypeVar("Item")
CONSOLE = Console()


class Stopwatch:
    """Seconds an iteration waits for data and takes in all, since the last `reset`.

    >>> for batch in watch.waiting(loader): step(batch)
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._since = time.perf_counter()
        self._waited_s = 0.0
        self._steps = 0

    def waiting(self, items: Iterable[Item]) -> Iterator[Item]:
        """The time until an item arrives is waiting; the time until the next is asked for is work."""
        begin = time.perf_counter()
        for item in items:
            self._waited_s += time.perf_counter() - begin
            self._steps += 1
            yield item
            begin = time.perf_counter()

    @property
    def data_s(self) -> float:
        return self._waited_s / max(1, self._steps)

    @property
    def step_s(self) -> float:
        """The waiting included."""
        return (time.perf_counter() - self._since) / max(1, self._steps)


def counting_bars() -> Progress:
    """For the caller's tasks: their names, how much of each is done, and the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal)


@contextmanager
def progress_bar(title: str, total: int, *, done: int = 0, visible: bool = True) -> Iterator[Callable[[str], None]]:
    """Gives a function that moves the bar by one and shows a note beside it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    shown = visible and CONSOLE.is_terminal
    with Progress(*columns, console=CONSOLE, transient=True, disable=not shown) as progress:
        task = progress.add_task(title, total=total, completed=done, note="")
        yield lambda note: progress.update(task, advance=1, note=note)
