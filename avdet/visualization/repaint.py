"""A copy of a video with something painted on every frame: same times, same sound."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.media.reader import VideoInfo, VideoReader
from avdet.media.video_writer import AAC_RATES, VideoWriter

# Smaller pictures are enlarged, because text needs room; larger ones are made smaller, because they play badly.
_SHORT_SIDE_LIMITS = (360, 1080)
_SOUND_BLOCK_S = 10.0

Paint = Callable[[float, NDArray[np.uint8], NDArray[np.uint8]], None]
"""Paints into an RGB frame (H, W, 3) that is shown from a time in seconds on, and into the strip (h, W, 3) below."""


def repaint(video: str | Path, info: VideoInfo, output: str | Path, paint: Paint, *, strip: float = 0.0) -> None:
    """Writes `output` (mp4); `info` is what the video's reader says about it.

    The first frame stands from 0 on. The short side becomes at least 360 and at most 1080 pixels. Sound is mono, at
    the video's own rate where AAC has it, and written in step with the pictures: memory does not grow with the video.
    strip: height of what is added below, as a share of the short side; rounded to an even number of pixels.
    """
    short_side = int(np.clip(min(info.width, info.height), *_SHORT_SIDE_LIMITS))
    rate = None if info.audio_rate is None else _aac_rate(info.audio_rate)
    with VideoReader(video, short_side=short_side) as reader:
        played = reader.play()
        _, first = next(played)
        height, width = first.shape[:2]
        strip_px = 2 * round(strip * min(height, width) / 2)
        with VideoWriter(output, fps=info.fps, width=width, height=height + strip_px, sample_rate=rate) as writer:
            sound = _SoundCopy(reader, writer, rate, info.duration_s)
            for time_s, frame in itertools.chain([(0.0, first)], played):
                painted = np.pad(frame, ((0, strip_px), (0, 0), (0, 0)))
                paint(time_s, painted[:height], painted[height:])
                writer.write_frame(painted, time_s=time_s)
                sound.copy_until(time_s)
            sound.copy_until(info.duration_s)


class _SoundCopy:
    """Copies the sound block by block, a little ahead of the pictures."""

    def __init__(self, reader: VideoReader, writer: VideoWriter, rate: int | None, duration_s: float) -> None:
        self._reader, self._writer, self._rate, self._duration_s = reader, writer, rate, duration_s
        self._done_s = 0.0

    def copy_until(self, time_s: float) -> None:
        while self._rate is not None and self._done_s < min(time_s, self._duration_s):
            block_s = min(_SOUND_BLOCK_S, self._duration_s - self._done_s)
            self._writer.write_audio(self._reader.audio(self._done_s, block_s, self._rate))
            self._done_s += block_s


def _aac_rate(rate: int) -> int:
    """The rate itself, or the next higher one that AAC has."""
    return min((allowed for allowed in AAC_RATES if allowed >= rate), default=max(AAC_RATES))
