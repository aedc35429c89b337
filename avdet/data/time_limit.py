"""A time limit for reading a clip. Python cannot interrupt the C code of a decoder, so a thread ends the process."""

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
def time_limit(limit_s: float, subject: str, report: Path | None = None) -> Iterator[None]:
    """Ends the process if the block takes longer than `limit_s`; first writes a sentence on `subject` and all stacks.

    They go into `report`, for the parent process, and the exit status is 0: torch kills everything at once if a worker
    ends with another status. Without a report they go to stderr, and the status is 2. If C code blocks even Python's
    threads, the process ends `_GRACE_S` later with its stacks on stderr.
    """
    timer = threading.Timer(limit_s, _end_process, (limit_s, subject, report))
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(limit_s + _GRACE_S, exit=True, file=_stderr())
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        timer.cancel()
        timer.join()


def _end_process(limit_s: float, subject: str, report: Path | None) -> None:
    sentence = (
        f"{subject} was not read within {limit_s:g} s; check the file and its disk, or raise data.clip_timeout_s if "
        "they are only slow\n"
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
    """The real stderr: faulthandler needs a file descriptor."""
    assert sys.__stderr__ is not None
    return sys.__stderr__
