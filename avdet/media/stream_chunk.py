"""What a live source delivers: frames and pieces of audio, on one clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from avdet.media.audio_track import Waveform

__all__ = ["AudioChunk", "StreamChunk", "VideoFrame"]


@dataclass(frozen=True)
class VideoFrame:
    """rgb: (H, W, 3) uint8, on screen from `time_s` seconds on."""

    time_s: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class AudioChunk:
    """samples: (n,) mono float32 in [-1, 1] at 16 kHz, the first one at `time_s` seconds."""

    time_s: float
    samples: Waveform


StreamChunk: TypeAlias = VideoFrame | AudioChunk
