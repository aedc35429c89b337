"""VideoSource, the interface of everything that yields frames and audio at times, and `open_video`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from avdet.media.audio_track import Waveform
from avdet.media.frames_dir import FramesDir
from avdet.media.media_file import MediaFile
from avdet.media.video_reader import FrameBatch, Frames, Times, VideoInfo, VideoReader

__all__ = ["OpenOptions", "StoredVideo", "VideoSource", "duration_of", "early_end_s", "open_video"]

SLACK_S = 0.5

StoredVideo: TypeAlias = VideoReader | FramesDir
"""A video on disk, with its `path`: what `open_video` returns."""


class VideoSource(Protocol):
    """Frames and audio at times in seconds on the video's own clock; use as a context manager.

    Satisfied by a file (VideoReader), a folder of frames (FramesDir), an array (ArrayVideo) and the newest seconds of a
    live stream (StreamWindow). Before the first frame the first one is returned, past the end the last one; audio
    outside the track is 0.
    """

    @property
    def info(self) -> VideoInfo:
        """Size, frame rate, start and duration, sample rate."""

    def frames(self, times_s: Times) -> Frames:
        """Returns (T, H, W, 3) RGB: the frame on screen at each time."""

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """Like `frames`, with the time at which each frame appeared and whether the video had ended by then."""

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """Returns (round(duration_s * rate),) mono float32 in [-1, 1]."""

    def __enter__(self) -> VideoSource: ...

    def __exit__(self, *exception: object) -> None: ...


@dataclass(frozen=True)
class OpenOptions:
    """How the videos of a data set are read.

    frames_fps: the rate at which folders of frames were extracted. audio_track: the number of the track that is read,
    from 0; None: the one that players select.
    """

    frames_fps: float = 30.0
    audio_track: int | None = None


def open_video(path: str | Path, *, short_side: int | None = None, options: OpenOptions | None = None) -> StoredVideo:
    """Opens a video file or a folder of extracted frames; use as a context manager.

    with open_video("videos/9Y_l9NsnYE0", short_side=256) as video:
        waveform = video.audio(1.0, 2.0, 16000)
    """
    options = options or OpenOptions()
    if Path(path).is_dir():
        return FramesDir(path, short_side=short_side, fps=options.frames_fps)
    return VideoReader(path, short_side=short_side, audio_track=options.audio_track)


def duration_of(path: Path, *, frames_fps: float = 30.0) -> float:
    """Returns `info.duration_s` without decoding a frame."""
    with FramesDir(path, fps=frames_fps) if path.is_dir() else MediaFile(path) as video:
        return video.info.duration_s if isinstance(video, FramesDir) else video.duration_s


def early_end_s(video: StoredVideo) -> float | None:
    """Returns when the frames end if the file announces at least 0.5 s more of them, else None.

    An interrupted download still announces the whole duration.
    """
    if isinstance(video, FramesDir):
        return None
    last = video.frame_batch([max(video.announced_s - SLACK_S, 0.0)])
    return float(last.times_s[0]) + 1 / video.info.fps if last.past_end[0] else None
