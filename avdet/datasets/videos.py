"""The movies of a data set: which file a video's name means, and which are missing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avdet.datasets.keyframes import KeyframeTable
from avdet.media.frames_dir import is_frames_dir

__all__ = ["Coverage", "files_below", "find_videos_by_name", "is_video", "with_video_file"]

VIDEO_SUFFIXES = {".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".3gp", ".wmv"}


def is_video(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not _is_hidden(path)


def _is_hidden(path: Path) -> bool:
    """As what macOS lays beside files is, `._NAME`."""
    return path.name.startswith(".")


def files_below(folder: Path) -> list[Path]:
    """All files in `folder` and its folders, also where these are links, in order; no hidden ones."""
    found: list[Path] = []
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(root))
        folders[:] = [name for name in folders if os.path.realpath(Path(root, name)) not in seen]
        found += [Path(root, name) for name in files]
    return sorted(path for path in found if not _is_hidden(path))


@dataclass(frozen=True)
class Coverage:
    """How much of the annotation has its movie."""

    movies: int
    missing: tuple[str, ...]
    keyframes: int
    skipped: int

    def __str__(self) -> str:
        found = f"{self.movies} movies expected, {self.movies - len(self.missing)} found"
        if not self.missing:
            return found
        return f"{found}; {len(self.missing)} missing -> {self.skipped:,} of {self.keyframes:,} keyframes skipped"


def find_videos_by_name(folder: Path) -> dict[str, Path]:
    """From a video's name (the file's, without suffix) to its file, or to the folder of that name with its frames.

    Raises ValueError for two files of one name.
    """
    entries = sorted(folder.iterdir())
    frames = {path.name: path for path in entries if is_frames_dir(path)}
    files: dict[str, Path] = {}
    for path in entries:
        if not is_video(path) or not path.is_file():
            continue
        if path.stem in files:
            other = files[path.stem].name
            raise ValueError(f"{folder} has {other} and {path.name}, both called {path.stem} by tables; keep one there")
        files[path.stem] = path
    return frames | files


def with_video_file(keyframes: KeyframeTable, movies: dict[str, Path]) -> tuple[KeyframeTable, Coverage]:
    """The keyframes whose movie is there, and how many are not."""
    expected = set(keyframes.videos)
    here = np.array([video in movies for video in keyframes.videos], dtype=bool)
    missing = tuple(sorted(expected - movies.keys()))
    return keyframes.select(here), Coverage(len(expected), missing, len(keyframes), int((~here).sum()))
