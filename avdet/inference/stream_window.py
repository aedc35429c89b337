"""The last seconds of a live source, read as if they were a video."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.media.live import AudioChunk, Event, VideoFrame
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.reader import Frames, VideoInfo

__all__ = ["LiveWindow", "StreamWindow"]


class LiveWindow:
    """Keeps what came in the last `keep_s` seconds; one thread may add while others take moments of it."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._seen: deque[VideoFrame] = deque()
        self._heard: deque[AudioChunk] = deque()
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        with self._lock:
            kept: deque[VideoFrame] | deque[AudioChunk] = self._heard
            if isinstance(event, VideoFrame):
                self._seen.append(event)
                kept = self._seen
            else:
                self._heard.append(event)
            while kept and kept[0].time_s < event.time_s - self._keep_s:
                kept.popleft()

    @property
    def newest_s(self) -> float:
        """Time of the newest picture; before the first one -inf."""
        with self._lock:
            return self._seen[-1].time_s if self._seen else -np.inf

    def moment(self, short_side: int) -> StreamWindow:
        """What there is now, not changed by what comes."""
        with self._lock:
            return StreamWindow(tuple(self._seen), tuple(self._heard), short_side)


@dataclass(frozen=True)
class StreamWindow:
    """Has the reading methods of VideoReader, for a clip cutter; pictures are scaled to `short_side` when read."""

    seen: tuple[VideoFrame, ...]
    heard: tuple[AudioChunk, ...]
    short_side: int

    @property
    def info(self) -> VideoInfo:
        height, width = self.seen[-1].rgb.shape[:2]
        first_s, last_s = self.seen[0].time_s, self.seen[-1].time_s
        fps = (len(self.seen) - 1) / max(last_s - first_s, 1e-6)
        return VideoInfo(width, height, fps, first_s, last_s, SAMPLE_RATE if self.heard else None)

    def picture(self, time_s: float) -> VideoFrame:
        """The one on screen at that time, or the first."""
        return next((one for one in reversed(self.seen) if one.time_s <= time_s), self.seen[0])

    def frames(self, times_s: list[float] | NDArray[np.float64]) -> Frames:
        """See VideoReader.frames."""
        height, width = self.seen[-1].rgb.shape[:2]
        scale = self.short_side / min(height, width)
        size = round(width * scale), round(height * scale)
        shown = [self.picture(time_s).rgb for time_s in times_s]
        return np.stack([np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8) for rgb in shown])

    def audio(self, start_s: float, duration_s: float, rate: int) -> NDArray[np.float32]:
        """See VideoReader.audio; silence where nothing has come. At 16 kHz only."""
        assert rate == SAMPLE_RATE
        sound = np.zeros(round(duration_s * rate), np.float32)
        for block in self.heard:
            first = round((block.time_s - start_s) * rate)
            left, right = max(first, 0), min(first + len(block.samples), len(sound))
            if left < right:
                sound[left:right] = block.samples[left - first : right - first]
        return sound
