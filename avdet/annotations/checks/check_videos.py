"""The movies themselves: there, whole, and with sound that can be heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from avdet.annotations.checks.finding import Finding, Level, counted, named
from avdet.media.reader import DecodeError
from avdet.media.video_source import VideoSource, early_end_s, open_video

__all__ = ["about_contents", "about_missing"]

SILENCE = 1e-4  # of full scale: under the last bit of 13
LISTENED_S = 1.0


def about_missing(split: str, videos: Sequence[str], movies: Mapping[str, Path]) -> Iterator[Finding]:
    missing = [video for video in videos if video not in movies]
    if not missing:
        yield Finding("fact", split, f"{counted(len(videos), 'movie')}, none missing")
        return
    level: Level = "error" if len(missing) == len(videos) else "warning"
    similar = {video: near for video in missing for near in movies if video in near or Path(video).stem == near}
    hint = "add the files"
    if similar:
        video, near = next(iter(similar.items()))
        hint = f"is {video} meant to be {near}? the video column holds the file's name without its suffix"
    yield Finding(level, split, f"{counted(len(videos), 'movie')} expected, {named(missing, 'movie')} missing; {hint}")


def about_contents(paths: Sequence[Path]) -> Iterator[Finding]:
    """Opens every movie, looks at its end and listens at three places."""
    silent, mute, broken = [], [], 0
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
                        f"is cut short: it says it lasts {duration_s:.1f} s, but its pictures end at "
                        f"{end_s:.1f} s; fetch it again",
                    )
                if not video.info.has_audio:
                    silent.append(path.name)
                elif _loudest(video, duration_s) < SILENCE:
                    mute.append(path.name)
        except DecodeError as error:
            broken += 1
            yield Finding("error", path.name, f"{error}")
    if silent:
        yield Finding("warning", "sound", f"no sound track: {named(silent, 'movie')} of {len(paths)}; only seen")
    if mute:
        yield Finding(
            "warning",
            "sound",
            f"a sound track with nothing on it: {named(mute, 'movie')}; was the sound lost on the way?",
        )
    if paths and not silent and not mute and not broken:
        yield Finding("fact", "movies", f"{counted(len(paths), 'movie')} read to the end, and heard")


def _loudest(video: VideoSource, duration_s: float) -> float:
    """The largest sample at a quarter, half and three quarters of the movie."""
    places_s = [share * max(duration_s - LISTENED_S, 0.0) for share in (0.25, 0.5, 0.75)]
    return max(float(np.abs(video.audio(at_s, LISTENED_S, 16_000)).max()) for at_s in places_s)
