"""Unreadable clips: training replaces and counts them, evaluation stops."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from torch.utils.data import Dataset, get_worker_info

from avdet.data.sampler import SampleSpec
from avdet.data.time_limit import time_limit
from avdet.media.video_reader import DecodeError
from avdet.structures import BadClip, Clip

__all__ = ["READING", "TIMED_OUT", "BadClipLog", "ClipSource", "SafeDataset"]

logger = logging.getLogger(__name__)

# Files named by process id: the clip that a worker is reading, which survives a killed worker, and its last report.
READING, TIMED_OUT = "-reading.txt", "-timed-out.txt"
NEXT_STEP = "repair the video, or remove it: its clips are then skipped and counted"
MAX_ATTEMPTS = 16
HEADER = ("video", "time", "reason")
Index = TypeVar("Index")
Index_contra = TypeVar("Index_contra", contravariant=True)


class ClipSource(Protocol[Index_contra]):
    """What `SafeDataset` needs of a data set: its clips, and the file and second of each."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: Index_contra, /) -> object: ...
    def location(self, index: Index_contra, /) -> tuple[Path, float]: ...


class SafeDataset(Dataset[object], Generic[Index]):
    """Reads clips within a time limit; an unreadable clip is replaced, or returned as its DecodeError.

    Errors are returned, not raised, because torch loses their message on the way from a worker.

    replace_bad: read another clip, drawn with the sample's own seed, and record the bad ones in `Clip.bad`.
    reports: the folder for the workers' reports.
    """

    def __init__(self, clips: ClipSource[Index], *, limit_s: float, replace_bad: bool, reports: Path) -> None:
        self.clips = clips
        self.limit_s = limit_s
        self.replace_bad = replace_bad
        self.reports = reports

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: Index) -> object:
        """The data set's own item, or a ValueError."""
        bad: list[BadClip] = []
        for attempt in range(MAX_ATTEMPTS):
            try:
                clip = self._read(index)
            except DecodeError as error:
                if not self.replace_bad:
                    return DecodeError(error.path, error.time_s, f"{error.reason}; {NEXT_STEP}")
                path, time_s = self.clips.location(index)
                bad.append(BadClip(str(path), time_s, str(error)))
                index = self._other_index(index, attempt)
            except ValueError as error:
                return error
            else:
                return replace(clip, bad=tuple(bad)) if bad and isinstance(clip, Clip) else clip
        return ValueError(
            f"All of {MAX_ATTEMPTS} clips drawn one after another failed to decode; the last error: {bad[-1].reason}. "
            "This is the decoder or the disk, not your data"
        )

    def _read(self, index: Index) -> object:
        path, time_s = self.clips.location(index)
        clip = f"The clip of {path} at {time_s:.2f} s"
        if get_worker_info() is None:
            with time_limit(self.limit_s, clip):
                return self.clips[index]
        reading = self.reports / f"{os.getpid()}{READING}"
        reading.write_text(clip, encoding="utf-8")
        try:
            with time_limit(self.limit_s, clip, self.reports / f"{os.getpid()}{TIMED_OUT}"):
                return self.clips[index]
        finally:
            reading.unlink()

    def _other_index(self, index: Index, attempt: int) -> Index:
        """Depends on the sample alone, so that every worker draws the same."""
        assert isinstance(index, SampleSpec), "only training samples are replaced"
        rng = np.random.default_rng([index.seed, 2, attempt])
        return replace(index, index=int(rng.integers(len(self.clips))), seed=int(rng.integers(2**31)))


class BadClipLog:
    """bad_clips.csv of a run: every unreadable clip once. Raises ValueError above `max_bad_clips`.

    Processes share one file, and a resumed run continues its own.
    """

    def __init__(self, path: Path, *, max_bad_clips: int) -> None:
        self.path = path
        self.max_bad_clips = max_bad_clips
        self._known: set[tuple[str, str]] = set()

    def add(self, bad: Iterable[BadClip]) -> None:
        """Appends the clips that are not in the file yet."""
        new = [(clip.video, f"{clip.time_s:g}", clip.reason) for clip in bad]
        if all(row[:2] in self._known for row in new):
            return
        self._known = self._read()
        new = [row for row in dict.fromkeys(new) if row[:2] not in self._known]
        self._append(new)
        self._known.update(row[:2] for row in new)
        for _, time, reason in new:
            logger.warning("the training clip at %s s is replaced: %s", time, reason)
        if len(self._known) > self.max_bad_clips:
            raise ValueError(
                f"{len(self._known)} training clips cannot be read, more than data.max_bad_clips={self.max_bad_clips}; "
                f"{self.path} lists them: repair or remove their videos, or raise data.max_bad_clips"
            )

    def _read(self) -> set[tuple[str, str]]:
        if not self.path.exists():
            return set()
        with self.path.open(newline="", encoding="utf-8") as file:
            return {(row["video"], row["time"]) for row in csv.DictReader(file)}

    def _append(self, rows: list[tuple[str, str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if file.tell() == 0:
                writer.writerow(HEADER)
            writer.writerows(rows)
