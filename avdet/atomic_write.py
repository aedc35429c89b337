"""Atomic file writes: a reader sees the old file or the whole new one, never a part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["atomic_write", "partial_path", "remove_partial_files", "replace_durably"]


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of `path`, which it makes if it is missing.

    The temporary file replaces `path` durably when the block ends; an exception removes it.

    >>> with atomic_write(Path("results.json")) as partial:
    ...     partial.write_text("{}")
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        yield partial
        replace_durably(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def replace_durably(partial: Path, path: Path) -> None:
    """Renames `partial` to `path`; after a power failure `path` is the old file or the whole new one."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems do not flush folders
            os.fsync(folder)
    finally:
        os.close(folder)


def partial_path(path: Path) -> Path:
    """Returns the temporary file that this process writes before it replaces `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def remove_partial_files(folder: Path) -> None:
    """Deletes the temporary files that killed processes left in `folder`."""
    for partial in folder.glob(".*.partial"):
        partial.unlink(missing_ok=True)
