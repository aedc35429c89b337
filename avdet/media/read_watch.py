"""Ends the process if the operating system does not answer a read, as of a network drive that is gone.

FFmpeg ends its own reads without progress (`media_file`), but neither it nor Python can interrupt the system's call.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

__all__ = ["watched"]

LIMIT_S = 70.0  # after FFmpeg's own limit
_reads: dict[int, tuple[float, Path]] = {}  # by thread: since when it reads which file
_watcher: list[int] = []  # the process whose thread watches: a fork does not inherit the thread


class watched:  # noqa: N801  (a context manager)
    """The process ends with exit status 2 and a sentence if the block, one short read of a file, takes `LIMIT_S`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        if _watcher != [os.getpid()]:
            _watcher[:] = [os.getpid()]
            _reads.clear()
            threading.Thread(target=_watch, daemon=True).start()
        _reads[threading.get_ident()] = (time.monotonic(), self._path)

    def __exit__(self, *_: object) -> None:
        _reads.pop(threading.get_ident(), None)


def _watch() -> None:
    while True:
        time.sleep(LIMIT_S / 10)
        for since_s, path in list(_reads.values()):
            if time.monotonic() - since_s > LIMIT_S:
                sentence = (
                    f"error: {path} was not read within {LIMIT_S:g} s; check its disk, then run the command again\n"
                )
                os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, sentence.encode(errors="replace"))
                os._exit(2)
