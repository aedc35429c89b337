"""ArrayVideo: frames and audio in memory, read like a video file; ScaledVideo: any other source at another size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torchaudio.functional import resample

from avdet.media.audio_track import Waveform
from avdet.media.video_reader import TOLERANCE_S, FrameBatch, Frames, Times, VideoInfo, checked_times
from avdet.media.video_source import VideoSource

__all__ = ["ArrayVideo", "ScaledVideo", "scale_frames"]

_MARGIN_S = 0.02  # audio on either side for the resampler's filter


@dataclass(frozen=True)
class ArrayVideo:
    """A VideoSource in memory.

    frames_rgb: (T, H, W, 3) uint8; frame k appears at k / fps seconds.
    waveform: (n,) mono floats in [-1, 1] from second 0 on, at `sample_rate`; None without audio.
    name: the video's name in tables.
    short_side: the size to which `frames` scales, in pixels; None keeps the array's.

        ArrayVideo(frames, fps=30.0, waveform=samples, sample_rate=44100, name="camera 1")
    """

    frames_rgb: Frames
    fps: float
    waveform: Waveform | None = None
    sample_rate: int = 16000
    name: str = "array"
    short_side: int | None = None

    def __post_init__(self) -> None:
        rgb, wave = np.asarray(self.frames_rgb), self.waveform
        object.__setattr__(self, "frames_rgb", rgb)  # a list of frames of one size is an array, too
        if rgb.dtype != np.uint8 or rgb.ndim != 4 or rgb.shape[3] != 3 or not rgb.size:
            raise ValueError(f"frames are {rgb.dtype} {rgb.shape}; give uint8 RGB of shape (T, H, W, 3), T at least 1")
        if wave is not None and (wave.ndim != 1 or wave.dtype.kind != "f" or not np.isfinite(wave).all()):
            raise ValueError(f"waveform is {wave.dtype} {wave.shape}; give finite mono floats in [-1, 1], shape (n,)")
        if not self.fps > 0 or self.sample_rate < 1:
            raise ValueError(f"fps is {self.fps} and sample_rate {self.sample_rate}; both must be more than 0")

    @property
    def info(self) -> VideoInfo:
        count, height, width = self.frames_rgb.shape[:3]
        audio_s = 0.0 if self.waveform is None else len(self.waveform) / self.sample_rate
        audio_rate = None if self.waveform is None else self.sample_rate
        return VideoInfo(width, height, self.fps, 0.0, max(count / self.fps, audio_s), audio_rate)

    def frames(self, times_s: Times) -> Frames:
        """See VideoReader.frames."""
        return self.frame_batch(times_s).rgb

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """See VideoReader.frame_batch."""
        times = checked_times(times_s, self.name) + TOLERANCE_S
        index = np.floor(times * self.fps).astype(np.int64).clip(0, len(self.frames_rgb) - 1)
        return FrameBatch(
            scale_frames(self.frames_rgb[index], self.short_side),
            index / self.fps,
            times >= len(self.frames_rgb) / self.fps,
        )

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """See VideoReader.audio."""
        assert self.waveform is not None
        index = np.arange(round((duration_s + 2 * _MARGIN_S) * self.sample_rate))
        index += round((start_s - _MARGIN_S) * self.sample_rate)
        inside = (index >= 0) & (index < len(self.waveform))
        samples = np.where(inside, self.waveform[index.clip(0, len(self.waveform) - 1)], 0.0).astype(np.float32)
        resampled = resample(torch.from_numpy(samples), self.sample_rate, rate).numpy()
        first = round(_MARGIN_S * rate)
        return resampled[first : first + round(duration_s * rate)].clip(-1.0, 1.0)

    def __enter__(self) -> ArrayVideo:
        return self

    def __exit__(self, *_: object) -> None: ...


def scale_frames(rgb: Frames, short_side: int | None) -> Frames:
    """Frames (T, H, W, 3) with the short side `short_side` in pixels; None keeps their size."""
    height, width = rgb.shape[1:3]
    scale = 1.0 if short_side is None else short_side / min(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    if size == (width, height):
        return rgb
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.stack([np.asarray(cv2.resize(frame, size, interpolation=method), np.uint8) for frame in rgb])


@dataclass(frozen=True)
class ScaledVideo:
    """A VideoSource whose frames are those of an opened `video`, scaled to `short_side`. It does not close `video`."""

    video: VideoSource
    short_side: int | None

    @property
    def info(self) -> VideoInfo:
        return self.video.info

    def frames(self, times_s: Times) -> Frames:
        """See VideoReader.frames."""
        return self.frame_batch(times_s).rgb

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """See VideoReader.frame_batch."""
        batch = self.video.frame_batch(times_s)
        return replace(batch, rgb=scale_frames(batch.rgb, self.short_side))

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """See VideoReader.audio."""
        return self.video.audio(start_s, duration_s, rate)

    def __enter__(self) -> ScaledVideo:
        return self

    def __exit__(self, *_: object) -> None: ...
