from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.keyframes import ClassNames
from avdet.inference.stream import DroppingQueue, LiveDetector, LiveStream
from avdet.inference.stream_window import LiveWindow, StreamWindow
from avdet.media.live import AudioChunk, Event, VideoFrame
from avdet.media.logmel import LogMel
from avdet.people.person_detector import Picture
from avdet.structures import ClipBatch, PersonBoxes


def _picture(number: int) -> VideoFrame:
    return VideoFrame(number / 25, np.full((48, 64, 3), number, np.uint8))


def test_the_window_keeps_its_seconds_and_reads_like_a_video() -> None:
    window = LiveWindow(2.0)
    assert window.newest_s == -np.inf
    for number in range(100):
        window.add(_picture(number))
        window.add(AudioChunk(number / 25, np.full(640, number / 100, np.float32)))
    moment = window.moment(24)
    assert (len(moment.seen), window.newest_s) == (51, 3.96)
    assert moment.info.fps == pytest.approx(25) and moment.info.has_audio
    frames = moment.frames([2.0, 3.0, 3.039, 9.0])
    assert frames.shape == (4, 24, 32, 3) and frames[:, 0, 0, 0].tolist() == [50, 75, 75, 99]
    sound = moment.audio(3.0, 1.5, 16000)
    assert sound.shape == (24000,) and sound[0] == pytest.approx(0.75) and sound[15999] == pytest.approx(0.99)
    assert not sound[16000:].any()
    assert not moment.audio(-9.0, 0.5, 16000).any()


def test_a_full_queue_drops_the_oldest() -> None:
    queue = DroppingQueue(3)
    for number in range(5):
        queue.put(_picture(number))
    queue.close()
    assert [int(seen.rgb[0, 0, 0]) for seen in queue] == [2, 3, 4] and queue.dropped == 2


class OnePerson:
    """Somebody whose box goes to the right with the picture's brightness."""

    needs_frames = True

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]:
        lefts = [int(picture.rgb[0, 0, 0]) / 400 for picture in pictures]
        return [PersonBoxes.from_boxes(torch.tensor([[x, 0.1, x + 0.3, 0.9]]), torch.tensor([0.9])) for x in lefts]


class MeanOfClip:
    """Two scores: the clip's mean brightness, and 1 where it hears."""

    def eval(self) -> None: ...

    def predict(self, batch: ClipBatch) -> Tensor:
        return torch.stack([batch.frames.float().mean(dim=(1, 2, 3, 4)) / 255, batch.has_audio.float()], dim=1)


def _detector(kind: type[LiveDetector] = LiveDetector) -> LiveDetector:
    extractor = ClipExtractor(16, 2, 16.0, LogMel(num_frames=16))
    classes = ClassNames.from_label_map({1: "a", 2: "b"})
    device = torch.device("cpu")
    return kind(MeanOfClip(), OnePerson(), extractor, classes, short_side=24, min_box_score=0.5, device=device)


def test_people_are_judged_by_the_clip_around_them_and_keep_their_ids() -> None:
    detector = _detector()
    seen = tuple(_picture(number) for number in range(100))
    moment = StreamWindow(seen, (AudioChunk(0.0, np.zeros(64000, np.float32)),), 24)
    tables = [detector.look(moment, time_s) for time_s in (1.0, 1.6, 2.0)]
    assert [table["x1"][0] for table in tables] == pytest.approx([25 / 400, 40 / 400, 50 / 400])
    # The clip's frames are in the middles of slots of 1/16 s around 1 s: from 0.53 to 1.41 s, in the mean 0.97 s.
    assert tables[0]["score"].tolist() == pytest.approx([24 / 255, 1.0], abs=1 / 255)
    assert [set(table["person_id"]) for table in tables] == [{0}, {0}, {0}]


def test_ids_outlive_a_look_that_missed_somebody() -> None:
    detector = _detector()
    standing = PersonBoxes.from_boxes(torch.tensor([[0.1, 0.1, 0.3, 0.9]]))
    nobody = standing.select(torch.tensor([False]))
    here = ((1.0, standing), (2.0, nobody), (3.0, standing), (9.0, standing), (10.0, nobody), (14.0, standing))
    assert [detector._with_ids(time_s, people).person_ids.tolist() for time_s, people in here] == [
        [0], [], [0],
        [0],  # the look before this one was six seconds ago: a slow machine
        [], [1],  # it was not seen for five seconds of several looks
    ]  # fmt: skip


def _events(seconds: float, fps: int = 25) -> Iterator[Event]:
    """In real time, as a camera."""
    started = time.monotonic()
    for number in range(round(seconds * fps)):
        time.sleep(max(started + number / fps - time.monotonic(), 0))
        yield VideoFrame(number / fps, np.full((48, 64, 3), number, np.uint8))
        yield AudioChunk(number / fps, np.zeros(640, np.float32))


def test_pictures_come_with_the_newest_detections_and_how_old_they_are() -> None:
    pictures = list(LiveStream(_events(2.5), _detector(), rate=4.0))
    assert pictures[0].detections is None
    judged = [picture for picture in pictures if picture.detections is not None]
    times = sorted({float(picture.detections["timestamp"][0]) for picture in judged if picture.detections is not None})
    assert len(times) >= 3 and min(np.diff(times)) >= 0.25 - 0.045
    assert all(0.4 < picture.behind_s < 1.5 for picture in judged)  # half a clip is 0.5 s
    assert pictures[-1].fps == pytest.approx(25, abs=6)


def test_who_draws_slowly_misses_pictures_but_stays_near() -> None:
    stream = LiveStream(_events(1.5), _detector(), rate=4.0, queue=2)
    behind = []
    for picture in stream:
        time.sleep(0.15)
        behind.append(stream._window.newest_s - picture.time_s)
    assert picture.dropped > 10 and max(behind) < 0.8


def test_breaking_off_ends_the_threads_and_errors_come_through() -> None:
    for picture in LiveStream(_events(60.0), _detector(), rate=4.0):
        if picture.time_s > 0.2:
            break

    class Broken(LiveDetector):
        def look(self, moment: StreamWindow, time_s: float) -> pd.DataFrame:
            raise ValueError("no eyes")

    with pytest.raises(ValueError, match="no eyes"):
        list(LiveStream(_events(60.0), _detector(Broken), rate=4.0))
    with pytest.raises(ValueError, match="a rate of 0 looks a second"):
        LiveStream(_events(1.0), _detector(), rate=0.0)
