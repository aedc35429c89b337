"""Progress bars on the terminal, and how long a loop waits for its data."""

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
    """Mean seconds per iteration since the last `reset`: waiting for data, and in total.

    >>> for batch in watch.waiting(loader): step(batch)
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Starts the means anew."""
        self._start = time.perf_counter()
        self._waited_s = 0.0
        self._steps = 0

    def waiting(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yields the items, and measures how long each takes to arrive after it was requested.

        The first one does not count: the loader's processes start before it.
        """
        requested: float | None = None
        for item in items:
            if requested is None:
                self.reset()
            else:
                self._waited_s += time.perf_counter() - requested
            self._steps += 1
            yield item
            requested = time.perf_counter()

    @property
    def data_s(self) -> float:
        """Waiting for data."""
        return self._waited_s / max(1, self._steps)

    @property
    def step_s(self) -> float:
        """The whole iteration, waiting included."""
        return (time.perf_counter() - self._start) / max(1, self._steps)


def counting_bars() -> Progress:
    """Bars for tasks that the caller adds: description, count and remaining time. They vanish when finished."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal)


@contextmanager
def progress_bar(title: str, total: int, *, done: int = 0, visible: bool = True) -> Iterator[Callable[[str], None]]:
    """Yields a function that advances the bar by one and shows its argument beside it."""
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
