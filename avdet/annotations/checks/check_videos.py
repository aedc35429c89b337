"""Checks the video files of a detection data set: missing, truncated or silent ones, and labels outside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.annotations.checks import Finding, Level, counted, listed
from avdet.datasets.timestamp_offset import VideoOffsets, first_outside
from avdet.media.audio_choice import SILENCE, audible_track, loudest
from avdet.media.video_reader import DecodeError
from avdet.media.video_source import OpenOptions, StoredVideo, early_end_s, open_video

__all__ = ["check_contents", "check_missing", "check_times"]

MILLISECONDS = 1000.0
ROUND_OFFSETS_S = (3600, 900, 600, 300, 100, 60, 50, 10, 1)  # the roundest fitting offset is suggested
MIN_STEP_S = 0.01  # between two labels of a video, in a plausible unit
MIN_MEDIAN_POSITION = 0.2  # of the labels, relative to the video's duration, in a plausible unit


def check_missing(split: str, videos: Sequence[str], paths: Mapping[str, Path]) -> Iterator[Finding]:
    """Finds videos of the tables without a file."""
    missing = [video for video in videos if video not in paths]
    if not missing:
        yield Finding("fact", split, f"{counted(len(videos), 'video')}, none missing")
        return
    level: Level = "error" if len(missing) == len(videos) else "warning"
    similar = {video: near for video in missing for near in paths if video in near or Path(video).stem == near}
    hint = "add the files"
    if similar:
        video, near = next(iter(similar.items()))
        hint = f"if {video} is the file {near}, write the file's name without its suffix into the column video"
    found = f"{listed(missing, 'video')} missing" if len(missing) < len(videos) else f"none found ({missing[0]}, ...)"
    yield Finding(level, split, f"{counted(len(videos), 'video')} expected, {found}; {hint}")


def check_times(
    split: str,
    keyframes: pd.DataFrame,
    durations_s: Mapping[str, float],
    candidates: Sequence[VideoOffsets],
    nominal_fps: float,
) -> Iterator[Finding]:
    """Finds labels outside their videos, and suggests the unit or offset with which all would be inside.

    keyframes: columns video and timestamp, of videos that exist. candidates: the offsets that the setting allows.
    """
    if not len(keyframes):
        return
    misfits = [first_outside(keyframes, durations_s, candidate) for candidate in candidates]
    fitting = [candidate for candidate, misfit in zip(candidates, misfits, strict=True) if not misfit]
    if fitting:
        is_moved = fitting[0] != VideoOffsets()
        start = f"which start at timestamp {fitting[0]}" if is_moved else "counted from their starts"
        yield Finding("fact", split, f"all timestamps lie inside {counted(len(durations_s), 'video')}, {start}")
        return
    misfit = min(misfits, key=len)
    outside = [f"{video} ({time_s:g} s of {durations_s[video]:.1f} s)" for video, time_s in misfit.items()]
    message = f"labels before the start or after the end of {listed(outside, 'video')}"
    yield Finding("error", split, f"{message}; {_suggest_times(keyframes, durations_s, nominal_fps)}")


def _suggest_times(keyframes: pd.DataFrame, durations_s: Mapping[str, float], fps: float) -> str:
    for unit, name in ((MILLISECONDS, "milliseconds"), (fps, f"frame numbers at {fps:g} fps")):
        scaled = keyframes.assign(timestamp=keyframes["timestamp"] / unit)
        if _is_plausible(scaled, durations_s) and not first_outside(scaled, durations_s, VideoOffsets()):
            return f"they would fit as {name}: divide them by {unit:g}"
    times_s = keyframes.groupby("video")["timestamp"]
    durations = np.array([durations_s[str(video)] for video in times_s.min().index])
    highest, lowest = times_s.min().min(), (times_s.max() - durations).max()
    if lowest <= highest:
        rounded = (highest // unit * unit for unit in ROUND_OFFSETS_S)
        offset_s = next((candidate for candidate in rounded if candidate >= lowest), lowest)
        return f"they would fit with data.timestamp_offset={offset_s:g}"
    return (
        "timestamps are seconds from the video's start; check whether the file is an excerpt or another version. If "
        "each video starts at another timestamp, name clips ID_START_END, or write a CSV video,offset for "
        "data.timestamp_offset"
    )


def _is_plausible(keyframes: pd.DataFrame, durations_s: Mapping[str, float]) -> bool:
    """Labels must be spread over their videos and not be denser than frames."""
    durations = keyframes["video"].astype(str).map(durations_s)
    steps_s = keyframes.sort_values(["video", "timestamp"]).groupby("video")["timestamp"].diff().dropna()
    is_spread = np.median(keyframes["timestamp"] / durations) > MIN_MEDIAN_POSITION
    return bool(is_spread and (steps_s >= MIN_STEP_S).all())


def check_contents(paths: Sequence[Path], options: OpenOptions) -> Iterator[Finding]:
    """Opens every video, checks that its end can be decoded and samples its audio at three places."""
    without_audio, silent, several, broken = [], [], [], 0
    for path in paths:
        try:
            with open_video(path, short_side=64, options=options) as video:
                yield from (end := list(_check_end(path, video)))
                broken += len(end)
                if not video.info.has_audio:
                    without_audio.append(path.name)
                elif loudest(video) < SILENCE:
                    silent.append(path)
                if video.num_audio_tracks > 1:
                    several.append(f"{path.name} ({video.num_audio_tracks})")
        except DecodeError as error:
            broken += 1
            yield Finding("error", path.name, f"{error}")
    if without_audio:
        message = f"no audio track: {listed(without_audio, 'video')} of {len(paths)}; the model uses only their frames"
        yield Finding("warning", "audio", message)
    if several:
        read = "the one that players select" if options.audio_track is None else f"track {options.audio_track}"
        yield Finding("fact", "audio", f"several audio tracks, of which {read} is read: {listed(several, 'video')}")
    if silent:
        names = [path.name for path in silent]
        message = f"silent audio track: {listed(names, 'video')}; {_next_step(silent)}"
        yield Finding("warning", "audio", message)
    if paths and not without_audio and not silent and not broken:
        yield Finding("fact", "videos", f"{counted(len(paths), 'video')} complete and with audio")


def _check_end(path: Path, video: StoredVideo) -> Iterator[Finding]:
    end_s = early_end_s(video)
    if end_s is not None:
        yield Finding(
            "error",
            path.name,
            f"is truncated: its header says {video.info.duration_s:.1f} s, but its frames end at {end_s:.1f} s; "
            "download it again",
        )


def _next_step(silent: Sequence[Path]) -> str:
    """What to do about silent tracks: read another one if that has audio."""
    for path in silent:
        track = audible_track(path)
        if track is not None:
            return f"track {track} of {path.name} has audio: set data.audio_track={track}"
    return "check whether the audio was lost in a conversion"
