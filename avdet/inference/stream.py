"""A live source in, pictures with what people do out, with what it costs: frames a second, delay, pictures dropped.

One thread takes what comes, one looks for people and judges them, and the caller's draws. Nothing waits for the slower
one: queues are bounded and the oldest is dropped.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.data.detection_clips import extract_whole_frame
from avdet.datasets.keyframes import ClassNames, Keyframe
from avdet.detection_table import detection_table
from avdet.inference.detector import ActionDetector
from avdet.inference.stream_window import LiveWindow, StreamWindow
from avdet.media.live import Event, VideoFrame
from avdet.media.video_source import VideoSource
from avdet.models.detect import Predicts, detect
from avdet.people.person_detector import PersonDetector, Picture
from avdet.people.tracks import MAX_GAP_S, PersonLinker
from avdet.structures import PersonBoxes

__all__ = ["DroppingQueue", "LiveDetector", "LivePicture", "LiveStream"]

_MEASURED_S = 2.0


class LiveDetector:
    """Who is there and what they do in the middle of what came last; ids go on from one call to the next."""

    def __init__(
        self,
        model: Predicts,
        people: PersonDetector,
        extractor: ClipExtractor,
        classes: ClassNames,
        *,
        short_side: int,
        min_box_score: float,
        device: torch.device,
    ) -> None:
        self.span_s = extractor.span_s
        self.short_side = short_side
        self._model, self._people, self._cutter, self._classes = model, people, extractor, classes
        self._min_box_score = min_box_score
        self._device = device
        self._linker = PersonLinker(min_start_score=0.0)  # the threshold is min_box_score
        self._looked_s = 0.0

    @classmethod
    def of(cls, actions: ActionDetector, people: PersonDetector, *, min_box_score: float) -> LiveDetector:
        """The same network, clips and classes."""
        return cls(
            actions.model,
            people,
            actions.extractor,
            actions.classes,
            short_side=actions.short_side,
            min_box_score=min_box_score,
            device=actions.device,
        )

    def look(self, moment: StreamWindow, time_s: float) -> pd.DataFrame:
        """Rows of `detection_table`, of the people at `time_s`, half a clip before the moment's end."""
        (found,) = self._people([Picture("live", time_s, moment.picture(time_s).rgb)])
        people = self._with_ids(time_s, found.select(found.scores >= self._min_box_score))
        if not len(people):
            return detection_table([], self._classes.ids)
        keyframe = Keyframe("live", time_s, time_s, people, torch.zeros(len(people), 0))
        video = cast(VideoSource, moment)  # it has what the cutter reads
        clip = collate([extract_whole_frame(video, keyframe, self._cutter)])
        return detection_table(detect(self._model, clip, self._device), self._classes.ids)

    def _with_ids(self, time_s: float, people: PersonBoxes) -> PersonBoxes:
        """From one look to the next, however slow the machine, is no gap."""
        since_s, self._looked_s = time_s - self._looked_s, time_s
        return self._linker.link(time_s, people, max_gap_s=max(MAX_GAP_S, since_s))


@dataclass
class DroppingQueue:
    """A queue of pictures between two threads that holds `limit` at most: the oldest is dropped, and counted."""

    limit: int
    dropped: int = 0
    _waiting: deque[VideoFrame] = field(default_factory=deque)
    _open: bool = True
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, picture: VideoFrame) -> None:
        with self._changed:
            self._waiting.append(picture)
            if len(self._waiting) > self.limit:
                self._waiting.popleft()
                self.dropped += 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def __iter__(self) -> Iterator[VideoFrame]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or not self._open)
                if not self._waiting:
                    return
                picture = self._waiting.popleft()
            yield picture


@dataclass(frozen=True)
class LivePicture:
    """A picture, and the newest detections (rows of `detection_table`), made of what was seen `behind_s` before.

    fps: pictures a second handed out, in the stream's own time, lately. dropped: pictures that were not, so far.
    """

    time_s: float
    rgb: NDArray[np.uint8]
    detections: pd.DataFrame | None
    behind_s: float
    fps: float
    dropped: int


class LiveStream:
    """Iterates over the pictures of a live source, each with the newest detections.

    rate: how often a second it looks for people, if the machine can; when it cannot, it looks at what is newest then.
    Memory holds the clip's span and a few pictures, however long it runs.
    """

    def __init__(self, events: Iterable[Event], detector: LiveDetector, *, rate: float, queue: int = 8) -> None:
        if not rate > 0:
            raise ValueError(f"a rate of {rate:g} looks a second is none; it must be more than 0")
        self._events, self._detector, self._period_s = events, detector, 1.0 / rate
        self._window = LiveWindow(2.0 * detector.span_s)
        self._pictures = DroppingQueue(queue)
        self._news = threading.Condition()
        self._over = False
        self._found: tuple[float, pd.DataFrame] | None = None

    def __iter__(self) -> Iterator[LivePicture]:
        """Ends with the source, or where the caller breaks off; errors of the other threads are raised here."""
        lately: deque[float] = deque()
        with ThreadPoolExecutor(2) as threads:
            working: list[Future[None]] = [threads.submit(self._take), threads.submit(self._judge)]
            try:
                for picture in self._pictures:
                    lately.append(picture.time_s)
                    while lately[0] < picture.time_s - _MEASURED_S:
                        lately.popleft()
                    passed_s = lately[-1] - lately[0]
                    fps = (len(lately) - 1) / passed_s if passed_s > 0 else 0.0
                    found_s, table = self._found or (picture.time_s, None)
                    behind_s = max(self._window.newest_s - found_s, 0.0)
                    yield LivePicture(picture.time_s, picture.rgb, table, behind_s, fps, self._pictures.dropped)
            finally:
                self._stop()
        for one in working:
            one.result()

    def _stop(self) -> None:
        self._pictures.close()
        with self._news:
            self._over = True
            self._news.notify_all()

    def _take(self) -> None:
        try:
            for event in self._events:
                if self._over:
                    return
                self._window.add(event)
                if isinstance(event, VideoFrame):
                    self._pictures.put(event)
                    with self._news:
                        self._news.notify_all()
        finally:
            self._stop()

    def _judge(self) -> None:
        """Looks as soon as half a clip has come after a time that is due."""
        half_s, due_s = self._detector.span_s / 2, 0.0
        try:
            while True:
                with self._news:
                    while not self._over and self._window.newest_s - half_s < due_s:
                        self._news.wait()
                    if self._over:
                        return
                moment = self._window.moment(self._detector.short_side)
                time_s = moment.seen[-1].time_s - half_s
                self._found = (time_s, self._detector.look(moment, time_s))
                due_s = time_s + self._period_s
        finally:
            self._stop()
