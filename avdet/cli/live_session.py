"""LiveSession: one source of stream.py, from its frames to the window, the recording and the events."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.inference.live_detector import LiveDetector
from avdet.inference.live_events import LiveEvents, Message
from avdet.inference.stream import LiveFrame, LiveStream
from avdet.media.live import LiveSource
from avdet.media.live_recorder import LiveRecorder
from avdet.visualization.live_annotator import LiveAnnotator

__all__ = ["LiveSession"]


class LiveSession:
    """Runs one source in a thread of its own.

    output: the annotated recording; None for none. sends: receive the events. seconds: the end; None for none.
    newest: the newest annotated frame, if `shows`.
    """

    def __init__(
        self,
        source: LiveSource,
        detector: LiveDetector,
        action_names: Mapping[int, str],
        *,
        keyframe_rate: float,
        min_score: float,
        output: Path | None,
        shows: bool,
        sends: Sequence[Callable[[Message], None]],
        seconds: float | None,
    ) -> None:
        self.name = source.name
        self.newest: NDArray[np.uint8] | None = None
        self._source, self._output, self._shows, self._seconds = source, output, shows, seconds
        self._annotator = LiveAnnotator(action_names, min_score=min_score)
        self._events = LiveEvents(action_names, sends, min_score=min_score, interval_s=1.0 / keyframe_rate)
        self._stream = LiveStream(
            source,
            detector.for_source(source.name),
            keyframe_rate=keyframe_rate,
            on_detections=self._events.add if sends else None,
        )
        self._status = ""
        self._interrupted = False

    def run(self) -> None:
        """Runs to the end of the source, or until `stop`. Raises ValueError if it delivers no frame."""
        try:
            with contextlib.ExitStack() as opened:
                recorder: LiveRecorder | None = None
                for frame in opened.enter_context(contextlib.closing(iter(self._stream))):
                    if self._seconds is not None and frame.time_s > self._seconds:
                        self._source.stop()
                        break
                    if recorder is None and self._output is not None:
                        recorder = opened.enter_context(LiveRecorder(self._output, has_audio=self._source.has_audio))
                    self._show(frame, recorder)
        finally:
            self._source.stop()
            self._events.finish()
        if not self._stream.statistics.frames and not self._interrupted:
            raise ValueError(f"{self._source.address} delivered no frame; check the camera or the address")

    def stop(self) -> None:
        """Ends `run` soon, also from another thread; the recording is finished."""
        self._interrupted = True
        self._source.stop()
        self._stream.stop()

    def status(self) -> str:
        """Frame rate, latency and dropped frames at present."""
        return f"{self.name}: {self._status or 'no frame yet'}"

    def summary(self) -> str:
        """The same over the whole run."""
        lost = self._source.reconnections
        returned = f"; lost and connected again {lost} time{'s' * (lost > 1)}" if lost else ""
        return f"{self.name}: {self._stream.statistics}{returned}"

    def _show(self, frame: LiveFrame, recorder: LiveRecorder | None) -> None:
        self._status = f"{frame.fps:.1f} fps, latency {frame.delay_s:.1f} s, {frame.dropped} dropped"
        if recorder is None and not self._shows:
            return
        annotated = self._annotator.annotated(frame.rgb, frame.detections, frame.time_s, self._status)
        if self._shows:
            self.newest = annotated
        if recorder is not None:
            recorder.write(annotated, frame.time_s, frame.audio)
