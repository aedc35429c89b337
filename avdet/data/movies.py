"""The movies of a data set: which file a video's name means, which are missing, and whether they reach their labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.data.keyframes import KeyframeTable
from avdet.media.reader import VideoReader

__all__ = ["Coverage", "find_movies", "refuse_times_outside", "with_movie"]

VIDEO_SUFFIXES = {".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".3gp", ".wmv"}


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


def find_movies(folder: Path) -> dict[str, Path]:
    """From a video's name (the file's, without suffix) to its file."""
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in VIDEO_SUFFIXES}


def with_movie(keyframes: KeyframeTable, movies: dict[str, Path]) -> tuple[KeyframeTable, Coverage]:
    """The keyframes whose movie is there, and how many are not."""
    expected = set(keyframes.videos)
    here = np.array([video in movies for video in keyframes.videos], dtype=bool)
    missing = tuple(sorted(expected - movies.keys()))
    return keyframes.select(here), Coverage(len(expected), missing, len(keyframes), int((~here).sum()))


def refuse_times_outside(keyframes: KeyframeTable, movies: dict[str, Path], annotations: Path) -> None:
    """Raises ValueError for the first movie that ends before a second it is annotated at."""
    last = pd.Series(keyframes.times_s).groupby(keyframes.videos).max()
    for name, time_s in last.items():
        path = movies[str(name)]
        with VideoReader(path) as video:
            duration_s = video.info.duration_s
        if time_s > duration_s:
            raise ValueError(
                f"{annotations} annotates {name} at {time_s:g} s, but {path} lasts {duration_s:.1f} s; times are "
                "seconds from the movie's start, so check the time origin or the movie"
            )
