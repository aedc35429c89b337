from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.class_names import ClassNames
from avdet.inference.live_detector import LiveDetector, live_gap
from avdet.inference.stream import DroppingQueue, LiveStream
from avdet.inference.stream_window import StreamWindow
from avdet.media.logmel import LogMel
from avdet.media.stream_chunk import AudioChunk, StreamChunk, VideoFrame
from avdet.people.person_detector import KeyframeImage
from avdet.structures import ClipBatch, PersonBoxes


def _frame(number: int) -> VideoFrame:
    return VideoFrame(number / 25, np.full((48, 64, 3), number, np.uint8))


def test_a_full_queue_drops_the_oldest() -> None:
    queue = DroppingQueue(3)
    for number in range(5):
        queue.put(_frame(number))
    queue.close()
    assert [int(frame.rgb[0, 0, 0]) for frame in queue] == [2, 3, 4] and queue.dropped == 2


class OnePerson:
    """Detects one person, whose box moves right with the frame's brightness."""

    needs_frames = True
    min_score = 0.5

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        lefts = [int(image.rgb[0, 0, 0]) / 400 for image in images]
        return [PersonBoxes.from_boxes(torch.tensor([[x, 0.1, x + 0.3, 0.9]]), torch.tensor([0.9])) for x in lefts]


class MeanOfClip:
    """Two scores: the clip's mean brightness, and 1 if it has audio."""

    def eval(self) -> None: ...

    def predict(self, batch: ClipBatch) -> Tensor:
        return torch.stack([batch.frames.float().mean(dim=(1, 2, 3, 4)) / 255, batch.has_audio.float()], dim=1)


def _detector(kind: type[LiveDetector] = LiveDetector) -> LiveDetector:
    extractor = ClipExtractor(16, 2, 16.0, LogMel(num_frames=16))
    classes = ClassNames.from_label_map({1: "a", 2: "b"})
    device = torch.device("cpu")
    return kind(MeanOfClip(), OnePerson(), extractor, classes, short_side=24, min_box_score=0.5, device=device)


def test_persons_are_scored_on_the_surrounding_clip_and_keep_their_ids() -> None:
    detector = _detector()
    frames = tuple(_frame(number) for number in range(100))
    window = StreamWindow(frames, (AudioChunk(0.0, np.zeros(64000, np.float32)),), 24)
    tables = [detector.detect(window, time_s) for time_s in (1.0, 1.6, 2.0)]
    assert [table["x1"][0] for table in tables] == pytest.approx([25 / 400, 40 / 400, 50 / 400])
    # The clip's frames are at the middles of slots of 1/16 s around 1 s: from 0.53 to 1.41 s, on average 0.97 s.
    assert tables[0]["score"].tolist() == pytest.approx([24 / 255, 1.0], abs=1 / 255)
    assert [set(table["person_id"]) for table in tables] == [{0}, {0}, {0}]


def test_ids_survive_a_missed_detection() -> None:
    detector = _detector()
    person = PersonBoxes.from_boxes(torch.tensor([[0.1, 0.1, 0.3, 0.9]]))
    no_boxes = person.select(torch.tensor([False]))
    keyframes = ((1.0, person), (2.0, no_boxes), (3.0, person), (9.0, person), (10.0, no_boxes), (14.0, person))
    assert [detector._link(time_s, persons).person_ids.tolist() for time_s, persons in keyframes] == [
        [0], [], [0],
        [0],  # the previous call was six seconds ago: a slow machine
        [], [1],  # missed for five seconds with a call between
    ]  # fmt: skip


def _events(seconds: float, fps: int = 25) -> Iterator[StreamChunk]:
    """Yields events in real time, like a camera."""
    started = time.monotonic()
    for number in range(round(seconds * fps)):
        time.sleep(max(started + number / fps - time.monotonic(), 0))
        yield VideoFrame(number / fps, np.full((48, 64, 3), number, np.uint8))
        yield AudioChunk(number / fps, np.zeros(640, np.float32))


def test_frames_have_the_newest_detections_and_their_delay() -> None:
    frames = list(LiveStream(_events(2.5), _detector(), keyframe_rate=4.0))
    assert frames[0].detections is None
    scored = [frame for frame in frames if frame.detections is not None]
    times = sorted({float(frame.detections["timestamp"][0]) for frame in scored if frame.detections is not None})
    assert len(times) >= 3 and min(np.diff(times)) >= 0.25 - 0.045
    assert all(0.4 < frame.delay_s < 1.5 for frame in scored)  # half a clip is 0.5 s
    assert frames[-1].fps == pytest.approx(25, abs=6)


def test_frames_carry_the_audio_between_them_and_each_keyframe_is_reported() -> None:
    reported: list[tuple[float, float]] = []

    def report(time_s: float, rows: pd.DataFrame, delay_s: float) -> None:
        assert set(rows["video"]) == {"door"} and set(rows["person_id"]) == {0}
        reported.append((time_s, delay_s))

    stream = LiveStream(_events(1.2), _detector().for_source("door"), keyframe_rate=4.0, on_detections=report)
    chunks = [chunk for frame in stream for chunk in frame.audio]
    assert [chunk.time_s for chunk in chunks] == pytest.approx([k / 25 for k in range(len(chunks))]) and len(
        chunks
    ) > 20
    statistics = stream.statistics
    assert statistics.keyframes == len(reported) >= 2 and statistics.frames + statistics.dropped == 30
    assert statistics.latency_max_s == max(delay_s for _, delay_s in reported) >= 0.5
    assert str(statistics).startswith(f"{statistics.frames} frames shown, {statistics.dropped} dropped; ")


def test_sources_share_a_model_but_not_their_persons() -> None:
    detector = _detector()
    window = StreamWindow(tuple(_frame(number) for number in range(100)), (), 24)
    doors = [detector.for_source(name) for name in ("a", "b")]
    assert [door.detect(window, 1.0)["video"][0] for door in doors] == ["a", "b"]
    assert doors[0]._linker is not doors[1]._linker and doors[0]._lock is doors[1]._lock
    assert [live_gap(since_s) for since_s in (0.5, 6.0, 60.0)] == [3.0, 6.0, 10.0]


def test_a_stalled_source_can_be_stopped() -> None:
    released = threading.Event()

    def stalls() -> Iterator[StreamChunk]:
        yield _frame(0)
        released.wait(30)

    stream = LiveStream(stalls(), _detector(), keyframe_rate=4.0)
    threading.Timer(0.1, stream.stop).start()
    started = time.monotonic()
    assert len(list(stream)) == 1 and time.monotonic() - started < 5
    released.set()


def test_a_slow_caller_misses_frames_but_keeps_up() -> None:
    stream = LiveStream(_events(1.5), _detector(), keyframe_rate=4.0, queue_size=2)
    delays_s = []
    for frame in stream:
        time.sleep(0.15)
        delays_s.append(stream._buffer.newest_s - frame.time_s)
    assert frame.dropped > 10 and max(delays_s) < 0.8


def test_stopping_ends_the_threads_and_errors_are_raised() -> None:
    for frame in LiveStream(_events(60.0), _detector(), keyframe_rate=4.0):
        if frame.time_s > 0.2:
            break

    class Broken(LiveDetector):
        def detect(self, window: StreamWindow, time_s: float) -> pd.DataFrame:
            raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        list(LiveStream(_events(60.0), _detector(Broken), keyframe_rate=4.0))
    with pytest.raises(ValueError, match="the keyframe rate is 0 per second"):
        LiveStream(_events(1.0), _detector(), keyframe_rate=0.0)
