"""From a video to its judged people in four steps, each of which can run somewhere else:

    pictures_at -> a person detector -> cut_clips -> judge

The unit of work is a chunk: a few keyframes of one video, one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.data.detection_clips import extract_whole_frame
from avdet.datasets.keyframes import Keyframe
from avdet.inference.predictions import PersonPredictions
from avdet.media.array_video import ArrayVideo
from avdet.media.video_source import VideoSource, open_video
from avdet.models.action_model import ActionModel
from avdet.models.detect import Predicts, detect
from avdet.people.box_table import people_of_rows, refuse_pixels
from avdet.people.find_persons import UNSEEN, ends_s, keyframe_times, video_name
from avdet.people.person_detector import PersonDetector, Picture
from avdet.structures import ClipBatch, PersonBoxes

__all__ = ["GivenPeople", "Plan", "Source", "Wishes", "extract_clips", "judge", "name_of", "open_source", "pictures_at"]

Source: TypeAlias = "str | Path | ArrayVideo"


@dataclass(frozen=True)
class Wishes:
    """Where to look, and at whom: `rate` keyframes a second from `start_s` to `end_s`, people with `min_box_score`.

    chunk: keyframes that are worked on together; what is in memory of a video at a time.
    """

    rate: float = 1.0
    start_s: float = 0.0
    end_s: float | None = None
    min_box_score: float = 0.8
    chunk: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"a rate of {self.rate:g} keyframes a second gives none; it must be more than 0")
        if not self.start_s >= 0 or (self.end_s is not None and not self.end_s > self.start_s):
            raise ValueError(
                f"from {self.start_s:g} to {self.end_s} s is no part of a video; the start must be 0 or more and the "
                "end behind it"
            )
        if self.chunk < 1:
            raise ValueError(f"{self.chunk} keyframes at a time are none; give 1 or more")

    def chunks(self, source: Source, people: GivenPeople | None) -> list[tuple[float, ...]]:
        """The times of each chunk. ValueError where they are past the video's end, or where nobody is given."""
        if isinstance(source, ArrayVideo):
            shown_s = duration_s = source.info.duration_s
        else:
            shown_s, duration_s = ends_s(Path(source))
        if self.start_s >= shown_s:
            raise ValueError(f"{name_of(source)} lasts {shown_s:.1f} s, so nothing of it is after {self.start_s:g} s")
        end_s = min(shown_s, self.end_s if self.end_s is not None else shown_s)
        if people is not None:
            times_s = people.times_within(source, duration_s, self, end_s)
        else:
            times_s = [t for t in keyframe_times(shown_s, rate=self.rate) if self.start_s <= t <= end_s]
            times_s = times_s or [(self.start_s + end_s) / 2]
        return [tuple(times_s[first : first + self.chunk]) for first in range(0, len(times_s), self.chunk)]


class GivenPeople:
    """A person detector that knows one video's people from a table, at the table's times."""

    needs_frames = False

    def __init__(self, boxes: pd.DataFrame, name: str) -> None:
        """`boxes` of `ava_eval.read_boxes`; its rows for `name` count."""
        rows = boxes[boxes["video"] == name]
        refuse_pixels(rows, "the table of boxes")
        known = rows[rows["person_id"] >= 0].drop_duplicates(["timestamp", *BOX_COLUMNS, "person_id"])
        twice = known[known.duplicated(["timestamp", "person_id"])]
        if len(twice):
            first = twice.iloc[0]
            raise ValueError(
                f"the table of boxes has two of person {first['person_id']:.0f} at {first['timestamp']:g} s of {name!r}"
                "; a person is in one place: correct an id, or write -1 where it is not known"
            )
        times_s = sorted(set(rows["timestamp"].tolist()))
        people = [people_of_rows(here) for _, here in rows.groupby("timestamp", sort=True)]
        self._at = dict(zip(times_s, people, strict=True))

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]:
        return [self._at[picture.time_s] for picture in pictures]

    def times_within(self, source: Source, duration_s: float, wishes: Wishes, end_s: float) -> list[float]:
        """Those with somebody sure enough, up to `end_s`. ValueError for boxes behind the video's whole duration."""
        sure = [t for t, people in self._at.items() if (people.scores >= wishes.min_box_score).any()]
        last_s = max(sure, default=0.0)
        if last_s > duration_s:
            raise ValueError(
                f"the boxes have somebody at {last_s:g} s of {source}, which lasts {duration_s:.1f} s; timestamps are "
                "seconds from the video's start"
            )
        times_s = [t for t in sure if wishes.start_s <= t <= end_s]
        if not times_s:
            raise ValueError(
                f"the boxes name nobody in {name_of(source)!r} with score >= {wishes.min_box_score:g} from "
                f"{wishes.start_s:g} to {end_s:g} s; their column video must hold the file's name without its suffix"
            )
        return times_s


@dataclass(frozen=True)
class Plan:
    """When to look at a video, chunk by chunk, and who says where its people are."""

    source: Source
    wishes: Wishes
    chunks: list[tuple[float, ...]]
    people: PersonDetector


def name_of(source: Source) -> str:
    """What tables call it: an array's own name, else a file's without suffix, or a folder's."""
    return source.name if isinstance(source, ArrayVideo) else video_name(source)


def open_source(source: Source, *, short_side: int | None = None) -> VideoSource:
    """A file, a folder of frames or an array, scaled as `open_video` does."""
    if isinstance(source, ArrayVideo):
        return replace(source, short_side=short_side)
    return open_video(source, short_side=short_side)


def pictures_at(source: Source, name: str, times_s: Sequence[float], *, needs_frames: bool = True) -> list[Picture]:
    """One a keyframe, in the video's own size; `needs_frames`: whether anybody will look at them."""
    if not needs_frames:
        return [Picture(name, time_s, UNSEEN) for time_s in times_s]
    with open_source(source) as video:
        return [Picture(name, t, rgb) for t, rgb in zip(times_s, video.frames(list(times_s)), strict=True)]


def extract_clips(
    source: Source,
    name: str,
    times_s: Sequence[float],
    people: Sequence[PersonBoxes],
    extractor: ClipExtractor,
    *,
    short_side: int,
    min_box_score: float,
) -> ClipBatch | None:
    """The clips of the keyframes with somebody who scores `min_box_score` or more; None where there is none."""
    sure = [(t, one.select(one.scores >= min_box_score)) for t, one in zip(times_s, people, strict=True)]
    keyframes = [Keyframe(name, t, t, one, torch.zeros(len(one), 0)) for t, one in sure if len(one)]
    if not keyframes:
        return None
    with open_source(source, short_side=short_side) as video:
        return collate([extract_whole_frame(video, keyframe, extractor) for keyframe in keyframes])


def judge(
    model: Predicts,
    times_s: Sequence[float],
    people: Sequence[PersonBoxes],
    clips: ClipBatch | None,
    *,
    num_classes: int,
    min_box_score: float,
    device: torch.device,
    features: bool = False,
) -> PersonPredictions:
    """Everybody, with the scores of those whom the clips show."""
    found = PersonPredictions.of_keyframes(times_s, people, num_classes)
    if clips is None:
        return found
    seen: list[torch.Tensor] = []
    handle = None
    if features:
        if not isinstance(model, ActionModel):
            raise ValueError("this model shows no features; make the detector with ActionDetector.from_checkpoint")
        handle = model.head.classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().cpu()))
    try:
        scores = torch.cat([detections.scores for detections in detect(model, clips, device)])
    finally:
        if handle is not None:
            handle.remove()
    sure = (torch.from_numpy(found.box_scores) >= min_box_score).numpy()  # as `extract_clips` compares
    found.scores[sure] = scores.numpy()
    if not seen:
        return found
    vectors = np.zeros((len(found), seen[0].shape[1]), np.float32)
    vectors[sure] = seen[0].numpy()
    return replace(found, features=vectors)
