"""The newest seconds of a live source, read like a video."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from avdet.media.audio_track import Waveform
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.stream_chunk import AudioChunk, StreamChunk, VideoFrame
from avdet.media.video_reader import FrameBatch, Frames, Times, VideoInfo, checked_times

__all__ = ["StreamBuffer", "StreamWindow"]


class StreamBuffer:
    """Keeps the frames and the audio of the last `keep_s` seconds. One thread may add while others take windows."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._video: deque[VideoFrame] = deque()
        self._audio: deque[AudioChunk] = deque()
        self._lock = threading.Lock()

    def add(self, chunk: StreamChunk) -> None:
        """Adds the chunk and drops the older ones of its kind."""
        with self._lock:
            chunks: deque[VideoFrame] | deque[AudioChunk] = self._audio
            if isinstance(chunk, VideoFrame):
                self._video.append(chunk)
                chunks = self._video
            else:
                self._audio.append(chunk)
            while chunks and chunks[0].time_s < chunk.time_s - self._keep_s:
                chunks.popleft()

    @property
    def newest_s(self) -> float:
        """Time of the newest frame; -inf before the first."""
        with self._lock:
            return self._video[-1].time_s if self._video else -np.inf

    def window(self, short_side: int) -> StreamWindow:
        """Snapshot of the buffer; frames are scaled to `short_side` when they are read."""
        with self._lock:
            return StreamWindow(tuple(self._video), tuple(self._audio), short_side)


@dataclass(frozen=True)
class StreamWindow:
    """A VideoSource over some seconds of a live stream: one frame or more, and any audio."""

    video: tuple[VideoFrame, ...]
    audio_chunks: tuple[AudioChunk, ...]
    short_side: int

    @property
    def info(self) -> VideoInfo:
        """See VideoReader.info; the duration ends with the newest frame."""
        height, width = self.video[-1].rgb.shape[:2]
        first_s, last_s = self.video[0].time_s, self.video[-1].time_s
        fps = (len(self.video) - 1) / max(last_s - first_s, 1e-6)
        return VideoInfo(width, height, fps, first_s, last_s, SAMPLE_RATE if self.audio_chunks else None)

    def frame_at(self, time_s: float) -> VideoFrame:
        """The frame on screen at that time, else the first."""
        return next((frame for frame in reversed(self.video) if frame.time_s <= time_s), self.video[0])

    def frames(self, times_s: Times) -> Frames:
        """See VideoReader.frames."""
        return self.frame_batch(times_s).rgb

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """See VideoReader.frame_batch."""
        height, width = self.video[-1].rgb.shape[:2]
        scale = self.short_side / min(height, width)
        size = round(width * scale), round(height * scale)
        times = checked_times(times_s, "the live stream")
        shown = [self.frame_at(time_s) for time_s in times.tolist()]
        rgb = [np.asarray(cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA), np.uint8) for frame in shown]
        appeared_s = np.array([frame.time_s for frame in shown])
        return FrameBatch(np.stack(rgb), appeared_s, times > self.video[-1].time_s)

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """See VideoReader.audio; zeros where no audio has arrived. `rate` must be 16 kHz."""
        assert rate == SAMPLE_RATE
        waveform = np.zeros(round(duration_s * rate), np.float32)
        for chunk in self.audio_chunks:
            first = round((chunk.time_s - start_s) * rate)
            left, right = max(first, 0), min(first + len(chunk.samples), len(waveform))
            if left < right:
                waveform[left:right] = chunk.samples[left - first : right - first]
        return waveform

    def __enter__(self) -> StreamWindow:
        return self

    def __exit__(self, *_: object) -> None: ...
