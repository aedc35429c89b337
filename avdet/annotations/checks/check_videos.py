"""Checks the video files: missing, truncated, without audio or silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from avdet.annotations.checks.finding import Finding, Level, counted, named
from avdet.media.reader import DecodeError
from avdet.media.video_source import VideoSource, early_end_s, open_video

__all__ = ["about_contents", "about_missing"]

SILENCE = 1e-4  # of full scale: below the last of 13 bits
SAMPLE_S = 1.0  # of audio, at each of three places


def about_missing(split: str, videos: Sequence[str], paths: Mapping[str, Path]) -> Iterator[Finding]:
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
    yield Finding(level, split, f"{counted(len(videos), 'video')} expected, {named(missing, 'video')} missing; {hint}")


def about_contents(paths: Sequence[Path]) -> Iterator[Finding]:
    """Opens every video, checks that its end can be decoded and samples its audio at three places."""
    without_audio, silent, broken = [], [], 0
    for path in paths:
        try:
            with open_video(path, short_side=64) as video:
                duration_s = video.info.duration_s
                end_s = early_end_s(video)
                if end_s is not None:
                    broken += 1
                    yield Finding(
                        "error",
                        path.name,
                        f"is truncated: its header says {duration_s:.1f} s, but its frames end at {end_s:.1f} s; "
                        "download it again",
                    )
                if not video.info.has_audio:
                    without_audio.append(path.name)
                elif _loudest(video, duration_s) < SILENCE:
                    silent.append(path.name)
        except DecodeError as error:
            broken += 1
            yield Finding("error", path.name, f"{error}")
    if without_audio:
        message = f"no audio track: {named(without_audio, 'video')} of {len(paths)}; the model uses only their frames"
        yield Finding("warning", "audio", message)
    if silent:
        message = f"silent audio track: {named(silent, 'video')}; check whether the audio was lost in a conversion"
        yield Finding("warning", "audio", message)
    if paths and not without_audio and not silent and not broken:
        yield Finding("fact", "videos", f"{counted(len(paths), 'video')} complete and with audio")


def _loudest(video: VideoSource, duration_s: float) -> float:
    """The largest sample at a quarter, half and three quarters of the video."""
    places_s = [share * max(duration_s - SAMPLE_S, 0.0) for share in (0.25, 0.5, 0.75)]
    return max(float(np.abs(video.audio(at_s, SAMPLE_S, 16_000)).max()) for at_s in places_s)
