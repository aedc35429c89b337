"""LiveRecorder: an mp4 file of a live source that outlasts its changes of size, its gaps and the program's end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.media.audio_track import Waveform
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.stream_chunk import AudioChunk
from avdet.media.video_writer import VideoWriter

__all__ = ["LiveRecorder"]

_FPS = 30  # nominal: every frame is written at its own time
_GOP = 60  # a killed process loses the frames after the last key frame
_SAME_PLACE = SAMPLE_RATE // 100  # samples; chunks that begin so near the end of the previous one follow it
_AUDIO_WAIT_S = 2.0  # audio later than this is replaced by silence: frames must not wait in memory for it


class LiveRecorder:
    """Writes frames and audio to a growing mp4 file; use as a context manager.

    The first frame sets the size and the time 0. Later frames of another size are scaled into it, with black bars
    where their shape differs. Audio is mono at 16 kHz; where none arrives there is silence.
    """

    def __init__(self, path: Path, *, has_audio: bool) -> None:
        self.path = path
        self._has_audio = has_audio
        self._writer: VideoWriter | None = None
        self._zero_s = 0.0
        self._num_samples = 0

    def write(self, rgb: NDArray[np.uint8], time_s: float, audio: Sequence[AudioChunk] = ()) -> None:
        """Appends a frame (H, W, 3) at its time, later than the last, and the audio that arrived before it."""
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            height, width = rgb.shape[:2]
            rate = SAMPLE_RATE if self._has_audio else None
            self._zero_s = time_s
            self._writer = VideoWriter(
                self.path, fps=_FPS, width=width, height=height, sample_rate=rate, gop=_GOP, growing=True
            )
        self._writer.write_frame(_fitted(rgb, self._writer.width, self._writer.height), time_s=time_s - self._zero_s)
        if self._has_audio:
            for chunk in audio:
                self._write_audio(chunk.samples, round((chunk.time_s - self._zero_s) * SAMPLE_RATE))
            self._write_audio(np.zeros(0, np.float32), round((time_s - self._zero_s - _AUDIO_WAIT_S) * SAMPLE_RATE))

    def _write_audio(self, samples: Waveform, first: int) -> None:
        """Writes samples from an index on: after silence in a gap, without those that others have taken."""
        assert self._writer is not None
        gap = first - self._num_samples
        if gap > _SAME_PLACE:
            self._append(np.zeros(gap, np.float32))
        elif gap < -_SAME_PLACE:
            samples = samples[-gap:]
        self._append(samples)

    def _append(self, samples: Waveform) -> None:
        assert self._writer is not None
        self._writer.write_audio(samples)
        self._num_samples += len(samples)

    def __enter__(self) -> LiveRecorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)


def _fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The frame scaled into a frame of another size, in its middle."""
    if rgb.shape[:2] == (height, width):
        return rgb
    scale = min(height / rgb.shape[0], width / rgb.shape[1])
    size = max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1)
    fitted = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    fitted[top : top + size[1], left : left + size[0]] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return fitted
