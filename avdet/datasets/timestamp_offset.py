"""The timestamp at which annotations place the start of a video.

AVA counts seconds from the start of the whole video and labels its minutes 15 to 30. Many copies are cut there, so that
the file's second 0 is AVA's second 900.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from avdet.media.video_source import duration_of

__all__ = ["AVA_CUT_S", "find_timestamp_offset", "first_outside", "video_durations"]

AVA_CUT_S = 900.0


def find_timestamp_offset(
    keyframes: pd.DataFrame,
    videos: Mapping[str, Path],
    offset_s: float | Literal["auto"],
    annotations: Path,
    frames_fps: float = 30.0,
) -> float:
    """The offset in seconds. "auto" takes 0, or AVA_CUT_S if that fits every video and 0 does not.

    keyframes: columns video and timestamp. Raises ValueError if a timestamp lies outside its video.
    """
    durations_s = video_durations(keyframes["video"], videos, frames_fps)
    candidates = [0.0, AVA_CUT_S] if offset_s == "auto" else [offset_s]
    misfits = {candidate: first_outside(keyframes, durations_s, candidate) for candidate in candidates}
    for candidate, misfit in misfits.items():
        if not misfit:
            return candidate
    best, misfit = min(misfits.items(), key=lambda item: len(item[1]))
    video, time_s = next(iter(misfit.items()))
    raise ValueError(
        f"{annotations} has a label for {video} at {time_s:g} s, but {videos[video]} lasts {durations_s[video]:.1f} s"
        f"{f' from {best:g} s' if best else ''} ({len(misfit)} of {len(durations_s)} videos do not fit); timestamps "
        "are seconds from the video's start: if yours start elsewhere, set data.timestamp_offset=SECONDS"
    )


def video_durations(names: Iterable[str], videos: Mapping[str, Path], frames_fps: float = 30.0) -> dict[str, float]:
    """Duration of each named video in seconds."""
    return {str(name): duration_of(videos[name], frames_fps=frames_fps) for name in sorted(set(names))}


def first_outside(keyframes: pd.DataFrame, durations_s: Mapping[str, float], offset_s: float) -> dict[str, float]:
    """The first timestamp outside each video, for the videos that have one."""
    video_s = keyframes["timestamp"] - offset_s
    videos = keyframes["video"].astype(str)
    outside = (video_s < 0) | (video_s > videos.map(durations_s))
    first = keyframes["timestamp"][outside].groupby(videos[outside]).first()
    return {str(video): float(time_s) for video, time_s in first.items()}
