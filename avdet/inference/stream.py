"""Live detection: a live source in, frames with the newest detections out.

One thread reads the source, one detects persons and scores their actions, and the caller's draws. None waits for a
slower one: queues are bounded and drop their oldest frames.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.data.detection_test_clips import extract_whole_frame
from avdet.data.keyframes import Keyframe
from avdet.datasets.class_names import ClassNames
from avdet.detection_table import detection_table
from avdet.inference.detector import ActionDetector
from avdet.inference.stream_window import StreamBuffer, StreamWindow
from avdet.media.stream_chunk import StreamChunk, VideoFrame
from avdet.models.detect import Predicts, detect
from avdet.people.person_detector import KeyframeImage, PersonDetector
from avdet.people.tracks import MAX_GAP_S, PersonLinker
from avdet.structures import PersonBoxes

__all__ = ["DroppingQueue", "LiveDetector", "LiveFrame", "LiveStream"]

_FPS_WINDOW_S = 2.0


class LiveDetector:
    """Detects persons and their actions at one time of a stream; person ids continue from call to call."""

    def __init__(
        self,
        model: Predicts,
        person_detector: PersonDetector,
        extractor: ClipExtractor,
        classes: ClassNames,
        *,
        short_side: int,
        min_box_score: float,
        device: torch.device,
    ) -> None:
        self.span_s = extractor.span_s
        self.short_side = short_side
        self._model, self._person_detector, self._extractor = model, person_detector, extractor
        self._classes = classes
        self._min_box_score = min_box_score
        self._device = device
        self._linker = PersonLinker(min_start_score=0.0)  # boxes below min_box_score are dropped before
        self._last_time_s = 0.0

    @classmethod
    def from_action_detector(
        cls, detector: ActionDetector, person_detector: PersonDetector, *, min_box_score: float
    ) -> LiveDetector:
        """Uses the detector's model, clip settings and classes."""
        return cls(
            detector.model,
            person_detector,
            detector.extractor,
            detector.classes,
            short_side=detector.short_side,
            min_box_score=min_box_score,
            device=detector.device,
        )

    def detect(self, window: StreamWindow, time_s: float) -> pd.DataFrame:
        """Rows of `detection_table` for the persons at `time_s`, half a clip before the window's end."""
        (found,) = self._person_detector([KeyframeImage("live", time_s, window.frame_at(time_s).rgb)])
        persons = self._link(time_s, found.select(found.scores >= self._min_box_score))
        if not len(persons):
            return detection_table([], self._classes.ids)
        keyframe = Keyframe("live", time_s, time_s, persons, torch.zeros(len(persons), 0))
        clip = collate([extract_whole_frame(window, keyframe, self._extractor)])
        return detection_table(detect(self._model, clip, self._device), self._classes.ids)

    def _link(self, time_s: float, persons: PersonBoxes) -> PersonBoxes:
        """Consecutive calls are never a gap in a track, however slow the machine is."""
        since_s, self._last_time_s = time_s - self._last_time_s, time_s
        return self._linker.link(time_s, persons, max_gap_s=max(MAX_GAP_S, since_s))


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

    detections: rows of `detection_table`; None before the first.
    delay_s: time from the detections' keyframe to the newest frame of the source.
    fps: frames yielded per second of the stream over the last 2 s.
    dropped: frames dropped so far.
    """

    time_s: float
    rgb: NDArray[np.uint8]
    detections: pd.DataFrame | None
    delay_s: float
    fps: float
    dropped: int


class LiveStream:
    """Iterates over the frames of a live source, each with the newest detections.

    keyframe_rate: detections per second; a slower machine skips to the newest keyframe each time.
    Memory holds two clip spans and `queue_size` frames, however long the stream runs.
    """

    def __init__(
        self, source: Iterable[StreamChunk], detector: LiveDetector, *, keyframe_rate: float, queue_size: int = 8
    ) -> None:
        if not keyframe_rate > 0:
            raise ValueError(f"the keyframe rate is {keyframe_rate:g} per second; it must be more than 0")
        self._source, self._detector, self._period_s = source, detector, 1.0 / keyframe_rate
        self._buffer = StreamBuffer(2.0 * detector.span_s)
        self._frames = DroppingQueue(queue_size)
        self._changed = threading.Condition()
        self._stopped = False
        self._newest_detections: tuple[float, pd.DataFrame] | None = None

    def __iter__(self) -> Iterator[LiveFrame]:
        """Ends with the source, or when the caller stops; raises the errors of the other threads."""
        recent_s: deque[float] = deque()
        with ThreadPoolExecutor(2) as threads:
            workers: list[Future[None]] = [threads.submit(self._read_source), threads.submit(self._detect)]
            try:
                for frame in self._frames:
                    recent_s.append(frame.time_s)
                    while recent_s[0] < frame.time_s - _FPS_WINDOW_S:
                        recent_s.popleft()
                    passed_s = recent_s[-1] - recent_s[0]
                    fps = (len(recent_s) - 1) / passed_s if passed_s > 0 else 0.0
                    keyframe_s, detections = self._newest_detections or (frame.time_s, None)
                    delay_s = max(self._buffer.newest_s - keyframe_s, 0.0)
                    yield LiveFrame(frame.time_s, frame.rgb, detections, delay_s, fps, self._frames.dropped)
            finally:
                self._stop()
        for worker in workers:
            worker.result()

    def _stop(self) -> None:
        self._frames.close()
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _read_source(self) -> None:
        try:
            for chunk in self._source:
                if self._stopped:
                    return
                self._buffer.add(chunk)
                if isinstance(chunk, VideoFrame):
                    self._frames.put(chunk)
                    with self._changed:
                        self._changed.notify_all()
        finally:
            self._stop()

    def _detect(self) -> None:
        """Detects at a keyframe as soon as half a clip has arrived after its time is due."""
        half_s, due_s = self._detector.span_s / 2, 0.0
        try:
            while True:
                with self._changed:
                    while not self._stopped and self._buffer.newest_s - half_s < due_s:
                        self._changed.wait()
                    if self._stopped:
                        return
                window = self._buffer.window(self._detector.short_side)
                time_s = window.video[-1].time_s - half_s
                self._newest_detections = (time_s, self._detector.detect(window, time_s))
                due_s = time_s + self._period_s
        finally:
            self._stop()
