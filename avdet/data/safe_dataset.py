"""Clips that cannot be read: training takes others in their place and keeps count, evaluation stops."""

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

from avdet.data.detection_clips import Draw
from avdet.data.time_limit import time_limit
from avdet.media.reader import DecodeError
from avdet.structures import BadClip, Clip

__all__ = ["ENDED", "READING", "BadClipLog", "Clips", "SafeDataset"]

logger = logging.getLogger(__name__)

# By process id: what a worker reads just now, for what kills it leaves no other trace; and what it said at its end.
READING, ENDED = "-reads.txt", "-ended.txt"
WAY_OUT = "mend the video, or remove it and its clips are left out and counted"
_ATTEMPTS = 16
_HEADER = ("video", "time", "reason")
Index = TypeVar("Index")
Index_contra = TypeVar("Index_contra", contravariant=True)


class Clips(Protocol[Index_contra]):
    """What is needed of a data set: its clips, and which moment of which file each is."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: Index_contra, /) -> object: ...
    def place(self, index: Index_contra, /) -> tuple[Path, float]: ...


class SafeDataset(Dataset[object], Generic[Index]):
    """Clips of a data set within a time limit. What cannot be read is replaced, or comes as its DecodeError.

    Errors come as values, because torch loses their sentence on the way from a worker.

    replaces: take another clip, drawn from the draw's own seed, and note the bad ones in `Clip.bad`.
    reports: the folder for what workers have to say when their time is over.
    """

    def __init__(self, clips: Clips[Index], *, limit_s: float, replaces: bool, reports: Path) -> None:
        self.clips = clips
        self.limit_s = limit_s
        self.replaces = replaces
        self.reports = reports

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: Index) -> object:
        """The data set's own item, or the ValueError that stands for it."""
        bad: list[BadClip] = []
        for attempt in range(_ATTEMPTS):
            try:
                clip = self._read(index)
            except DecodeError as error:
                if not self.replaces:
                    return DecodeError(error.path, error.time_s, f"{error.reason}; {WAY_OUT}")
                path, time_s = self.clips.place(index)
                bad.append(BadClip(str(path), time_s, str(error)))
                index = self._another(index, attempt)
            except ValueError as error:
                return error
            else:
                return replace(clip, bad=tuple(bad)) if bad and isinstance(clip, Clip) else clip
        return ValueError(
            f"All of {_ATTEMPTS} clips that were drawn one after another failed to decode, the last one so: "
            f"{bad[-1].reason}. This is the decoder or the disk, not your data"
        )

    def _read(self, index: Index) -> object:
        path, time_s = self.clips.place(index)
        what = f"The clip of {path} at {time_s:.2f} s"
        if get_worker_info() is None:
            with time_limit(self.limit_s, what):
                return self.clips[index]
        reading = self.reports / f"{os.getpid()}{READING}"
        reading.write_text(what, encoding="utf-8")
        try:
            with time_limit(self.limit_s, what, self.reports / f"{os.getpid()}{ENDED}"):
                return self.clips[index]
        finally:
            reading.unlink()

    def _another(self, index: Index, attempt: int) -> Index:
        """A function of the draw alone, so that it is the same in whichever worker."""
        assert isinstance(index, Draw), "only draws can be drawn again"
        rng = np.random.default_rng([index.seed, 2, attempt])
        return replace(index, keyframe=int(rng.integers(len(self.clips))), seed=int(rng.integers(2**31)))


class BadClipLog:
    """bad_clips.csv of a run: every unreadable clip once. Raises ValueError above `max_bad_clips`.

    Processes share one file, and a run that is resumed goes on with its own.
    """

    def __init__(self, path: Path, *, max_bad_clips: int) -> None:
        self.path = path
        self.max_bad_clips = max_bad_clips
        self._seen: set[tuple[str, str]] = set()

    def note(self, bad: Iterable[BadClip]) -> None:
        new = [(clip.video, f"{clip.time_s:g}", clip.reason) for clip in bad]
        if all(row[:2] in self._seen for row in new):
            return
        self._seen = self._listed()
        new = [row for row in dict.fromkeys(new) if row[:2] not in self._seen]
        self._append(new)
        self._seen.update(row[:2] for row in new)
        for _, time, reason in new:
            logger.warning("the training clip at %s s is replaced: %s", time, reason)
        if len(self._seen) > self.max_bad_clips:
            raise ValueError(
                f"{len(self._seen)} training clips cannot be read, more than data.max_bad_clips={self.max_bad_clips}; "
                f"{self.path} lists them: mend or remove their videos, or raise data.max_bad_clips"
            )

    def _listed(self) -> set[tuple[str, str]]:
        if not self.path.exists():
            return set()
        with self.path.open(newline="", encoding="utf-8") as file:
            return {(row["video"], row["time"]) for row in csv.DictReader(file)}

    def _append(self, rows: list[tuple[str, str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if file.tell() == 0:
                writer.writerow(_HEADER)
            writer.writerows(rows)
