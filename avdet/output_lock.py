"""One process at a time writes an output: a lock that ends with its process."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

__all__ = ["lock_file", "lock_folder"]


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Locks an output folder, which it makes if it is missing; a folder that is empty afterwards is removed.

    Under torchrun, only rank 0 takes the lock. Raises ValueError if another process holds it.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(folder / ".lock", folder):
            yield
    finally:
        with suppress(OSError):  # the folder holds files
            folder.rmdir()


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Locks an output file. Raises ValueError if another process holds its lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f".{path.name}.lock"), path):
        yield


@contextmanager
def _locked(lock: Path, output: Path) -> Iterator[None]:
    file = _open_locked(lock, output)
    try:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
    finally:
        lock.unlink(missing_ok=True)  # before the lock ends, so that this process still holds it
        file.close()


def _open_locked(lock: Path, output: Path) -> TextIO:
    """Takes a POSIX lock: unlike flock's it is not inherited by forked workers, which outlive a killed process."""
    while True:
        file = lock.open("a+", encoding="utf-8")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            owner = file.read(20)
            file.close()
            if error.errno not in {errno.EACCES, errno.EAGAIN}:
                raise
            raise ValueError(
                f"{output} is being written by another process{f' ({owner})' * owner.isdigit()}; wait until it ends, "
                "or give another --output"
            ) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        file.close()  # the owner removed this file between the two calls
