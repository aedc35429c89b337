"""What every tool asks of what it is to write, before the work."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

__all__ = ["require_output", "require_output_folder", "require_video_output"]


def require_output(output: Path, inputs: Iterable[Path | None] = (), *, option: str = "--output") -> None:
    """Raises ValueError where `output` is one of the `inputs`, is there and no file, or cannot be made."""
    if output.resolve() in {path.resolve() for path in inputs if path is not None}:
        raise ValueError(f"{option} {output} is one of the inputs, which would be written over; give another name")
    if output.exists() and not output.is_file():
        raise ValueError(f"{option} {output} is a folder or a device; give the name of a file to write")
    _require_room(output, option)


def require_output_folder(output: Path, *, option: str = "--output") -> None:
    """Raises ValueError where `output` is no folder, or cannot be made or written into."""
    if output.exists() and not output.is_dir():
        raise ValueError(f"{option} {output} is a file; give a folder to write into")
    _require_room(output / "file", option)


def require_video_output(output: Path, inputs: Iterable[Path | None]) -> None:
    """`require_output` of an mp4."""
    if output.suffix.lower() != ".mp4":
        raise ValueError(f"--output is {output}; it is written as mp4, so give it a name that ends in .mp4")
    require_output(output, inputs)


def _require_room(path: Path, option: str) -> None:
    """Writes a file that has no name into the folder, or into the one that would get it."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ValueError(f"{option}: nothing can be written in {folder} ({reason}); give another place") from None
