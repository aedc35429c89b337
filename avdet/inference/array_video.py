"""Frames and sound that are in memory already, read as if they were a video file."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torchaudio.functional import resample

from avdet.media.reader import TOLERANCE_S, Frames, VideoInfo

__all__ = ["ArrayVideo"]


@dataclass(frozen=True)
class ArrayVideo:
    """frames (T, H, W, 3) uint8 RGB at `fps`; sound (n,) float32 of [-1, 1], mono, from second 0 on, or none.

    Frame k appears at k / fps seconds. `name` is what tables call it. Has the reading methods of VideoReader.

        ArrayVideo(frames, fps=30.0, sound=samples, sound_rate=44100, name="camera 1")
    """

    frames_rgb: Frames
    fps: float
    sound: NDArray[np.float32] | None = None
    sound_rate: int = 16000
    name: str = "array"
    short_side: int | None = None

    def __post_init__(self) -> None:
        rgb, sound = self.frames_rgb, self.sound
        if rgb.dtype != np.uint8 or rgb.ndim != 4 or rgb.shape[3] != 3 or not rgb.size:
            raise ValueError(f"frames are {rgb.dtype} {rgb.shape}; give uint8 RGB of shape (T, H, W, 3), T at least 1")
        if sound is not None and (sound.ndim != 1 or sound.dtype.kind != "f" or not np.isfinite(sound).all()):
            raise ValueError(f"sound is {sound.dtype} {sound.shape}; give finite mono floats of [-1, 1], shape (n,)")
        if not self.fps > 0 or self.sound_rate < 1:
            raise ValueError(f"fps is {self.fps} and sound_rate {self.sound_rate}; both must be more than 0")

    @property
    def info(self) -> VideoInfo:
        count, height, width = self.frames_rgb.shape[:3]
        heard = self.sound is not None
        sound_s = 0.0 if self.sound is None else len(self.sound) / self.sound_rate
        duration_s = max(count / self.fps, sound_s)
        return VideoInfo(width, height, self.fps, 0.0, duration_s, self.sound_rate if heard else None)

    def frames(self, times_s: NDArray[np.float64] | list[float]) -> Frames:
        """See VideoReader.frames."""
        shown = np.floor((np.asarray(times_s, np.float64) + TOLERANCE_S) * self.fps).astype(np.int64)
        rgb = self.frames_rgb[shown.clip(0, len(self.frames_rgb) - 1)]
        height, width = rgb.shape[1:3]
        scale = 1.0 if self.short_side is None else self.short_side / min(height, width)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        if size == (width, height):
            return rgb
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        return np.stack([np.asarray(cv2.resize(frame, size, interpolation=way), np.uint8) for frame in rgb])

    def audio(self, start_s: float, duration_s: float, rate: int) -> NDArray[np.float32]:
        """See VideoReader.audio."""
        assert self.sound is not None
        margin_s = 0.02  # for the resampler's filter
        stored = np.arange(round((duration_s + 2 * margin_s) * self.sound_rate))
        stored += round((start_s - margin_s) * self.sound_rate)
        heard = (stored >= 0) & (stored < len(self.sound))
        samples = np.where(heard, self.sound[stored.clip(0, len(self.sound) - 1)], 0.0).astype(np.float32)
        resampled = resample(torch.from_numpy(samples), self.sound_rate, rate).numpy()
        first = round(margin_s * rate)
        return resampled[first : first + round(duration_s * rate)].clip(-1.0, 1.0)

    def __enter__(self) -> ArrayVideo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
