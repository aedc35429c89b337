"""Where a number comes from: command, versions, revision, data."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from avdet.media.frames_dir import is_frames_dir

__all__ = ["provenance"]

PACKAGES = ("avdet", "torch", "torchvision", "torchaudio", "av", "numpy", "pandas")


def provenance(files: Iterable[Path], videos: Path) -> dict[str, Any]:
    """`files` are the annotations, hashed whole; the movies count by name and size."""
    return {
        "command": " ".join(sys.argv),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "git_revision": _git_revision(),
        "data_fingerprint": _fingerprint(files, videos),
    }


def _version(name: str) -> str | None:
    """None for what runs from its folder without being installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """None where the project does not run from a checkout."""
    folder = Path(__file__).parent
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=folder, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _fingerprint(files: Iterable[Path], videos: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    for path, size in sorted(_movies(videos)):
        digest.update(f"{path.relative_to(videos).as_posix()}\0{size}".encode())
    return digest.hexdigest()[:16]


def _movies(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[tuple[Path, int | str]]:
    """Files below with their sizes; of a folder of extracted frames, which may hold millions, its name alone.

    Links to what is above or not there have a name alone too.
    """
    within = (*above, folder.resolve())
    for path in folder.iterdir():
        if is_frames_dir(path):
            yield path, "frames"
        elif path.is_dir() and path.resolve() not in within:
            yield from _movies(path, within)
        else:
            yield path, path.stat().st_size if path.is_file() else "no file"
