"""Extracts one clip from a video: the frames around a time and the audio of the same span (paper, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdet.media.clip_times import clip_span, clip_times
from avdet.media.logmel import SAMPLE_RATE, LogMel
from avdet.media.video_reader import FrameBatch, Frames
from avdet.media.video_source import OpenOptions, StoredVideo, VideoSource, open_video

__all__ = ["ClipExtractor", "channels_first"]


@dataclass(frozen=True)
class ClipExtractor:
    """Turns a model's "64 frames" into seconds of a video of any frame rate.

    span_frames: raw frames at `nominal_fps` that a clip spans; every `stride`-th of them enters the Fast pathway.
    logmel: None for a model without audio. options: how the videos are opened.
    """

    span_frames: int
    stride: int
    nominal_fps: float
    logmel: LogMel | None
    options: OpenOptions = field(default_factory=OpenOptions)

    @property
    def span_s(self) -> float:
        return self.span_frames / self.nominal_fps

    def open(self, path: Path, *, short_side: int | None = None) -> StoredVideo:
        """A video of the data set; use as a context manager."""
        return open_video(path, short_side=short_side, options=self.options)

    def frames(self, video: VideoSource, center_s: float) -> Frames:
        """(T, H, W, 3) uint8 around `center_s`; times outside the video take its first or last frame."""
        return video.frames(self.times_s(center_s))

    def frame_batch(self, video: VideoSource, center_s: float) -> FrameBatch:
        """As `frames`, with the frames' own times and whether they lie past the end."""
        return video.frame_batch(self.times_s(center_s))

    def audio(self, video: VideoSource, center_s: float) -> Tensor | None:
        """(T, F) log-mel of the same span; None for a model or a video without audio."""
        if self.logmel is None or not video.info.has_audio:
            return None
        start_s, duration_s = clip_span(center_s, num_frames=self.span_frames, fps=self.nominal_fps)
        return self.logmel(torch.from_numpy(video.audio(start_s, duration_s, SAMPLE_RATE)))

    def times_s(self, center_s: float) -> NDArray[np.float64]:
        """(T,) ascending times of the frames."""
        return clip_times(center_s, num_frames=self.span_frames, stride=self.stride, fps=self.nominal_fps)


def channels_first(frames: Frames) -> Tensor:
    """(T, H, W, 3) to (3, T, H, W) in its own memory: a crop would keep the whole clip alive."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2)))
