"""Writes the results of a run with their provenance: command, versions, git revision and data fingerprint."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from avdet.atomic_write import atomic_write
from avdet.config import Config
from avdet.engine.run_dir import RunDir
from avdet.engine.task import EvaluationResult
from avdet.media.frames_dir import is_frames_dir

__all__ = ["provenance", "write_results"]

PACKAGES = ("avdet", "torch", "torchvision", "torchaudio", "av", "numpy", "pandas")


def write_results(run: RunDir, result: EvaluationResult, config: Config) -> None:
    """Writes the predictions, and results.json with the metrics under the task's name beside seed and provenance."""
    result.write_predictions(run)
    dataset = config.dataset()
    files = dataset.files("train") | dataset.files("val")
    existing = [path for path in files.values() if path.is_file()]
    content: dict[str, Any] = {
        result.section: result.metrics.content,
        "seed": config.seed,
        **provenance(existing, config.data.videos),
    }
    with atomic_write(run.results) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def provenance(annotations: Iterable[Path], videos: Path) -> dict[str, Any]:
    """Command, versions, git revision, and a fingerprint of annotation contents and of video names and sizes."""
    return {
        "command": " ".join(sys.argv),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "git_revision": _git_revision(),
        "data_fingerprint": _fingerprint(annotations, videos),
    }


def _version(package: str) -> str | None:
    """None if the package is not installed, as when avdet runs from a checkout."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """None outside a git checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    folder = Path(__file__).parent
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _fingerprint(annotations: Iterable[Path], videos: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(annotations):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    for path, size in sorted(_video_sizes(videos)):
        digest.update(f"{path.relative_to(videos).as_posix()}\0{size}".encode())
    return digest.hexdigest()[:16]


def _video_sizes(folder: Path, parents: tuple[Path, ...] = ()) -> Iterator[tuple[Path, int | str]]:
    """All files below `folder` with their sizes in bytes.

    A folder of extracted frames may hold millions of files and is not opened. Neither are links to a parent folder;
    these and dangling links have no size.
    """
    visited = (*parents, folder.resolve())
    for path in folder.iterdir():
        if is_frames_dir(path):
            yield path, "frames"
        elif path.is_dir() and path.resolve() not in visited:
            yield from _video_sizes(path, visited)
        else:
            yield path, path.stat().st_size if path.is_file() else "no file"
