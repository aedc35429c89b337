"""Files that a command will write, looked at before it works."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def require_writable(option: str, path: Path, inputs: Iterable[Path]) -> None:
    """Raise ValueError where `path` is one of the inputs, OSError where it cannot be written; its folder is made."""
    if any(path.exists() and source.exists() and path.samefile(source) for source in inputs):
        raise ValueError(f"{option} {path} is read here and would be written over; give another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    path.open("ab").close()
    if is_new:
        path.unlink()
