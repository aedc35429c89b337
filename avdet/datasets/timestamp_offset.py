"""The timestamp at which annotations place the start of each video.

AVA counts seconds from the start of the whole video and labels its minutes 15 to 30. Many copies are cut there, so that
the file's second 0 is AVA's second 900. Of clips that were cut at other times, each has an offset of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import pandas as pd

from avdet.datasets.tables import numbers, read_csv
from avdet.media.file_names import table_name
from avdet.media.video_source import duration_of

__all__ = [
    "AVA_CUT_S", "OffsetSetting", "VideoOffsets", "add_trimmed", "candidate_offsets", "find_timestamp_offset",
    "first_outside", "video_durations",
]  # fmt: skip

AVA_CUT_S = 900.0
TRIMMED = re.compile(r"(.+)_(\d{4,}(?:\.\d+)?)_(\d{4,}(?:\.\d+)?)")  # ID_000016_000026, as Kinetics names clips

OffsetSetting: TypeAlias = float | Literal["auto"] | Path


@dataclass(frozen=True)
class VideoOffsets:
    """The timestamp in seconds of each video's first second: `by_video`, else `default`."""

    default: float = 0.0
    by_video: Mapping[str, float] = field(default_factory=dict)

    def of(self, video: str) -> float:
        """The offset of one video."""
        return self.by_video.get(video, self.default)

    def __str__(self) -> str:
        return f"{self.default:g}" if not self.by_video else "of their own"


def add_trimmed(videos: Mapping[str, Path], names: Iterable[str]) -> dict[str, Path]:
    """The files by name; a clip ID_000016_000026 is also found as ID, if it is the only one of ID."""
    clips: dict[str, list[Path]] = {}
    for name, path in videos.items():
        if match := TRIMMED.fullmatch(name):
            clips.setdefault(match[1], []).append(path)
    found = {name: clips[name][0] for name in set(names) if name not in videos and len(clips.get(name, ())) == 1}
    return {**videos, **found}


def candidate_offsets(setting: OffsetSetting, videos: Mapping[str, Path]) -> list[VideoOffsets]:
    """The offsets that a setting allows; "auto": 0, AVA_CUT_S, and the starts in names such as ID_000016_000026.

    Where tables call such a clip ID, as AVA-Kinetics' do, its start goes first; under its whole name, times are likely
    those of the clip. setting: a file is a CSV with the columns video and offset. videos: files by name.
    """
    if isinstance(setting, Path):
        return [_read_offsets(setting)]
    if setting != "auto":
        return [VideoOffsets(setting)]
    matches = {name: TRIMMED.fullmatch(table_name(path.name)) for name, path in videos.items()}
    starts = {name: float(match[2]) for name, match in matches.items() if match}
    of_ids = {name: start_s for name, start_s in starts.items() if name != table_name(videos[name].name)}
    first = [VideoOffsets(0.0, of_ids)] if of_ids else []
    return [*first, VideoOffsets(), VideoOffsets(AVA_CUT_S), *([VideoOffsets(0.0, starts)] if starts else [])]


def _read_offsets(path: Path) -> VideoOffsets:
    """By video, from two columns, or from columns with these names of any table, such as the annotations themselves."""
    table = read_csv(path, dtype=str, skipinitialspace=True, header=None).fillna("")
    words = [str(cell).strip().casefold() for cell in table.iloc[0]]
    named = {word: column for column, word in enumerate(words)}
    video = next((named[word] for word in ("video", "video_id", "name", "id") if word in named), None)
    offset = next((named[word] for word in ("offset", "origin", "timestamp_offset") if word in named), None)
    if table.shape[1] < 2 or (video is None and table.shape[1] > 2):
        raise ValueError(f"{path} has {table.shape[1]} columns without names; write the columns video and offset")
    if video is not None:
        table = table.iloc[1:]
    names = table[video or 0].str.strip()
    table = pd.DataFrame({"video": names, "offset": table[1 if offset is None else offset]}).drop_duplicates()
    offsets = numbers(table, "offset", path).tolist()
    wrong = next(
        (name for name, offset_s in zip(table["video"], offsets, strict=True) if not math.isfinite(offset_s)), None
    )
    if wrong is not None:
        raise ValueError(f"{path} has no offset for {wrong!r}; write video,offset with seconds")
    by_video = {table_name(name): offset_s for name, offset_s in zip(table["video"], offsets, strict=True)}
    if len(by_video) < len(table):
        twice = table["video"][table["video"].duplicated()].iloc[0]
        raise ValueError(f"{path} has two offsets for {twice!r}; a video has one")
    return VideoOffsets(0.0, by_video)


def find_timestamp_offset(
    keyframes: pd.DataFrame,
    videos: Mapping[str, Path],
    setting: OffsetSetting,
    annotations: Path,
    frames_fps: float = 30.0,
) -> VideoOffsets:
    """The first of the `candidate_offsets` that fits every video.

    keyframes: columns video and timestamp. Raises ValueError if a timestamp lies outside its video.
    """
    durations_s = video_durations(keyframes["video"], videos, frames_fps)
    candidates = candidate_offsets(setting, videos)
    misfits = [first_outside(keyframes, durations_s, candidate) for candidate in candidates]
    for candidate, misfit in zip(candidates, misfits, strict=True):
        if not misfit:
            return candidate
    best = min(range(len(misfits)), key=lambda index: len(misfits[index]))
    misfit, (video, time_s) = misfits[best], next(iter(misfits[best].items()))
    start_s = candidates[best].of(video)
    raise ValueError(
        f"{annotations} has a label for {video} at {time_s:g} s, but {videos[video]} lasts {durations_s[video]:.1f} s"
        f"{f' from {start_s:g} s' if start_s else ''} ({len(misfit)} of {len(durations_s)} videos do not fit); "
        "timestamps are seconds from the video's start: if yours start elsewhere, set data.timestamp_offset=SECONDS, "
        "or to a CSV video,offset if each video has its own"
    )


def video_durations(names: Iterable[str], videos: Mapping[str, Path], frames_fps: float = 30.0) -> dict[str, float]:
    """Duration of each named video in seconds."""
    return {str(name): duration_of(videos[name], frames_fps=frames_fps) for name in sorted(set(names))}


def first_outside(keyframes: pd.DataFrame, durations_s: Mapping[str, float], offsets: VideoOffsets) -> dict[str, float]:
    """The first timestamp outside each video, for the videos that have one."""
    videos = keyframes["video"].astype(str)
    video_s = keyframes["timestamp"] - videos.map({name: offsets.of(name) for name in videos.unique()}).astype(float)
    outside = (video_s < 0) | (video_s > videos.map(durations_s))
    first = keyframes["timestamp"][outside].groupby(videos[outside]).first()
    return {str(video): float(time_s) for video, time_s in first.items()}
