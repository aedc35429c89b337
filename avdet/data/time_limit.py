"""A clip that never comes ends its process, and says which one it was and where the process stood.

Decoding runs in C, where nothing in Python can interrupt it. So a thread waits beside it, and ends the whole process.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

__all__ = ["time_limit"]

_GRACE_S = 5.0


@contextmanager
def time_limit(limit_s: float, what: str, report: Path | None = None) -> Iterator[None]:
    """Lets the block take `limit_s`; then a sentence that names `what` and every thread's stack are written.

    They go into `report`, for the process that started this one, and this one ends with status 0: torch kills
    everything at once when a worker ends with another. Without a report they go to stderr, and the status is 2.
    Should C code not even let Python's threads run, the process ends `_GRACE_S` later with its stack on stderr.
    """
    timer = threading.Timer(limit_s, _end, (limit_s, what, report))
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(limit_s + _GRACE_S, exit=True, file=_stderr())
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        timer.cancel()
        timer.join()


def _end(limit_s: float, what: str, report: Path | None) -> None:
    sentence = (
        f"{what} was not read in {limit_s:g} s; look at the file and its disk, and where they are only slow, raise "
        "data.clip_timeout_s\n"
    )
    if report is None:
        _write(sentence, _stderr())
        os._exit(2)
    with report.open("w", encoding="utf-8") as file:
        _write(sentence, file)
    os._exit(0)


def _write(sentence: str, file: TextIO) -> None:
    file.write(sentence)
    file.flush()
    faulthandler.dump_traceback(file)
    file.flush()


def _stderr() -> TextIO:
    """The real one: what stands in for it has no file that C code could write to."""
    assert sys.__stderr__ is not None
    return sys.__stderr__
