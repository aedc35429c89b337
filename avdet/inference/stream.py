"""Live detection: a live source in, frames with the newest detections out.

One thread reads the source, one detects persons and scores their actions, and the caller's draws. None waits for a
slower one: queues are bounded and drop their oldest frames.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.inference.live_detector import LiveDetector
from avdet.inference.stream_window import StreamBuffer
from avdet.media.stream_chunk import AudioChunk, StreamChunk, VideoFrame

__all__ = ["DroppingQueue", "LiveFrame", "LiveStatistics", "LiveStream"]

_FPS_WINDOW_S = 2.0
_MOST_AUDIO_CHUNKS = 1000  # between two frames
_READER_END_S = 0.5


@dataclass
class DroppingQueue:
    """A queue of frames between two threads; a full one drops its oldest frame and counts it."""

    limit: int
    dropped: int = 0
    _frames: deque[VideoFrame] = field(default_factory=deque)
    _open: bool = True
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, frame: VideoFrame) -> None:
        """Appends the frame without waiting."""
        with self._changed:
            self._frames.append(frame)
            if len(self._frames) > self.limit:
                self._frames.popleft()
                self.dropped += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the iteration once the queue is empty."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def __iter__(self) -> Iterator[VideoFrame]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frames or not self._open)
                if not self._frames:
                    return
                frame = self._frames.popleft()
            yield frame


@dataclass(frozen=True)
class LiveFrame:
    """A frame with the newest detections.

    audio: what has arrived since the last frame.
    detections: rows of `detection_table`; None before the first.
    delay_s: time from the detections' keyframe to the newest frame of the source.
    fps: frames yielded per second of the stream over the last 2 s.
    dropped: frames dropped so far.
    """

    time_s: float
    rgb: NDArray[np.uint8]
    audio: tuple[AudioChunk, ...]
    detections: pd.DataFrame | None
    delay_s: float
    fps: float
    dropped: int


@dataclass
class LiveStatistics:
    """What a stream has yielded, what it dropped, and how far its detections were behind the source."""

    frames: int = 0
    dropped: int = 0
    keyframes: int = 0
    latency_sum_s: float = 0.0
    latency_max_s: float = 0.0

    def __str__(self) -> str:
        shown = f"{self.frames} frames shown, {self.dropped} dropped"
        if not self.keyframes:
            return f"{shown}; no predictions"
        mean_s = self.latency_sum_s / self.keyframes
        return f"{shown}; {self.keyframes} keyframes, latency {mean_s:.1f} s, at most {self.latency_max_s:.1f} s"


OnDetections = Callable[[float, pd.DataFrame, float], None]


class LiveStream:
    """Iterates over the frames of a live source, each with the newest detections.

    keyframe_rate: detections per second; a slower machine skips to the newest keyframe each time.
    on_detections: called with each keyframe's time, rows of `detection_table` and delay, in another thread.
    Memory holds two clip spans and `queue_size` frames, however long the stream runs.
    """

    def __init__(
        self,
        source: Iterable[StreamChunk],
        detector: LiveDetector,
        *,
        keyframe_rate: float,
        queue_size: int = 16,
        on_detections: OnDetections | None = None,
    ) -> None:
        if not keyframe_rate > 0:
            raise ValueError(f"the keyframe rate is {keyframe_rate:g} per second; it must be more than 0")
        self.statistics = LiveStatistics()
        self._source, self._detector, self._period_s = source, detector, 1.0 / keyframe_rate
        self._on_detections = on_detections
        self._buffer = StreamBuffer(2.0 * detector.span_s)
        self._frames = DroppingQueue(queue_size)
        self._audio: deque[AudioChunk] = deque(maxlen=_MOST_AUDIO_CHUNKS)
        self._changed = threading.Condition()
        self._stopped = False
        self._newest_detections: tuple[float, pd.DataFrame] | None = None
        self._errors: list[BaseException] = []

    def __iter__(self) -> Generator[LiveFrame, None, None]:
        """Ends with the source, or when the caller stops; raises the errors of the other threads."""
        # A daemon, because a read may wait for a dead source until its time limit, and the end does not wait for it.
        reader = threading.Thread(target=self._run, args=(self._read_source,), daemon=True)
        detector = threading.Thread(target=self._run, args=(self._detect,))
        reader.start()
        detector.start()
        recent_s: deque[float] = deque()
        try:
            for frame in self._frames:
                recent_s.append(frame.time_s)
                while recent_s[0] < frame.time_s - _FPS_WINDOW_S:
                    recent_s.popleft()
                yield self._live_frame(frame, recent_s)
        finally:
            self.stop()
            detector.join()
            reader.join(_READER_END_S)
        if self._errors:
            raise self._errors[0]

    def stop(self) -> None:
        """Ends the iteration, also from another thread."""
        self._frames.close()
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _live_frame(self, frame: VideoFrame, recent_s: deque[float]) -> LiveFrame:
        self.statistics.frames += 1
        self.statistics.dropped = self._frames.dropped
        passed_s = recent_s[-1] - recent_s[0]
        fps = (len(recent_s) - 1) / passed_s if passed_s > 0 else 0.0
        keyframe_s, detections = self._newest_detections or (frame.time_s, None)
        audio = tuple(self._audio.popleft() for _ in range(len(self._audio)))
        delay_s = self._delay(keyframe_s)
        return LiveFrame(frame.time_s, frame.rgb, audio, detections, delay_s, fps, self._frames.dropped)

    def _delay(self, keyframe_s: float) -> float:
        return max(self._buffer.newest_s - keyframe_s, 0.0)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._errors.append(error)
        finally:
            self.stop()

    def _read_source(self) -> None:
        for chunk in self._source:
            if self._stopped:
                return
            self._buffer.add(chunk)
            if isinstance(chunk, AudioChunk):
                self._audio.append(chunk)
                continue
            self._frames.put(chunk)
            with self._changed:
                self._changed.notify_all()

    def _detect(self) -> None:
        """Detects at a keyframe as soon as half a clip has arrived after its time is due."""
        half_s, due_s = self._detector.span_s / 2, 0.0
        while True:
            with self._changed:
                while not self._stopped and self._buffer.newest_s - half_s < due_s:
                    self._changed.wait()
                if self._stopped:
                    return
            window = self._buffer.window(self._detector.short_side)
            time_s = window.video[-1].time_s - half_s
            detections = self._detector.detect(window, time_s)
            self._newest_detections = (time_s, detections)
            delay_s = self._delay(time_s)
            self.statistics.keyframes += 1
            self.statistics.latency_sum_s += delay_s
            self.statistics.latency_max_s = max(self.statistics.latency_max_s, delay_s)
            if self._on_detections is not None:
                self._on_detections(time_s, detections, delay_s)
            due_s = time_s + self._period_s
