"""The right reader for whatever a video is kept in."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from avdet.media.frames_dir import FramesDir
from avdet.media.media_file import MediaFile
from avdet.media.reader import VideoReader

__all__ = ["Video", "duration_of", "early_end_s", "open_video"]

SLACK_S = 0.5
Video: TypeAlias = VideoReader | FramesDir


def open_video(path: str | Path, *, short_side: int | None = None) -> Video:
    """A folder of extracted pictures or a video file; use as a context manager.

    with open_video("movies/9Y_l9NsnYE0", short_side=256) as video:
        sound = video.audio(1.0, 2.0, 16000)
    """
    return (FramesDir if Path(path).is_dir() else VideoReader)(path, short_side=short_side)


def duration_of(path: Path) -> float:
    """`info.duration_s`, without decoding a frame."""
    with FramesDir(path) if path.is_dir() else MediaFile(path) as video:
        return video.info.duration_s if isinstance(video, FramesDir) else video.duration_s


def early_end_s(video: Video) -> float | None:
    """When the pictures end of a file that has none for the last half second for which it announces some, or None.

    A download that broke off still announces its whole duration.
    """
    if isinstance(video, FramesDir):
        return None
    last = video.frame_batch([max(video.announced_s - SLACK_S, 0.0)])
    return float(last.times_s[0]) + 1 / video.info.fps if last.past_end[0] else None
