"""Tables of person boxes as keyframes: one per video and time, with its persons and their labels.

Keyframes are stored in columns, not objects, so that loader workers share the memory: AVA's 210,634 take 60 MB.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from avdet.boxes import paired_iou
from avdet.datasets.class_names import ClassNames
from avdet.datasets.detection import DetectionDataset
from avdet.datasets.keyframe_split import keyframe_index, without_excluded
from avdet.datasets.timestamp_offset import VideoOffsets
from avdet.structures import PersonBoxes

__all__ = [
    "Keyframe",
    "KeyframeTable",
    "detected_keyframes",
    "keyframes_of_boxes",
    "keyframes_to_score",
    "labelled_keyframes",
]

logger = logging.getLogger(__name__)

SAME_PERSON_IOU = 0.9  # PySlowFast's training lists label the detected boxes that overlap a labelled one this much
OTHER_PERSON_IOU = 0.5  # frame mAP takes a box that overlaps a labelled one less for another person


@dataclass(frozen=True)
class Keyframe:
    """The persons at one time of a video.

    time_s: the timestamp in the tables; video_s: the same on the video's own clock. labels: (N, C) multi-hot, C = 0 if
    the labels are unknown.
    """

    video: str
    time_s: float
    video_s: float
    people: PersonBoxes
    labels: Tensor


@dataclass(frozen=True)
class KeyframeTable:
    """Keyframe k is at `times_s[k]` of `videos[k]` and has the persons `first[k]` to `first[k + 1]`.

    offsets: the timestamp of every video's first second.
    """

    videos: NDArray[np.object_]
    times_s: NDArray[np.float64]
    first: NDArray[np.int64]
    people: PersonBoxes
    labels: Tensor
    offsets: VideoOffsets = field(default_factory=VideoOffsets)

    def __post_init__(self) -> None:
        assert len(self.videos) == len(self.times_s) == len(self.first) - 1
        assert self.first[-1] == len(self.people) == len(self.labels)

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Keyframe:
        rows = slice(int(self.first[index]), int(self.first[index + 1]))
        people = PersonBoxes(self.people.boxes[rows], self.people.scores[rows], self.people.person_ids[rows])
        time_s = float(self.times_s[index])
        video = str(self.videos[index])
        return Keyframe(video, time_s, time_s - self.offsets.of(video), people, self.labels[rows].float())

    def select(self, keep: NDArray[np.bool_]) -> KeyframeTable:
        """The keyframes where `keep` (K,) is true."""
        counts = np.diff(self.first)
        persons = torch.from_numpy(np.repeat(keep, counts))
        first = np.concatenate([[0], np.cumsum(counts[keep])])
        return replace(
            self,
            videos=self.videos[keep],
            times_s=self.times_s[keep],
            first=first,
            people=self.people.select(persons),
            labels=self.labels[persons],
        )

    def with_detected(self, boxes: pd.DataFrame, *, min_score: float, negatives: bool) -> KeyframeTable:
        """Adds every detected box that overlaps a labelled person by SAME_PERSON_IOU, with that person's labels.

        negatives: also adds the boxes that overlap no labelled person by OTHER_PERSON_IOU, as persons without actions.
        """
        detected = detected_keyframes(self, boxes, min_score=min_score)
        overlap, person = _best_match(detected, self)
        same = np.flatnonzero(overlap >= SAME_PERSON_IOU)
        others = np.flatnonzero((overlap >= 0) & (overlap < OTHER_PERSON_IOU) & negatives)
        own, found = self.people, detected.people
        people = PersonBoxes(
            torch.cat([own.boxes, found.boxes[same], found.boxes[others]]),
            torch.cat([own.scores, found.scores[same], found.scores[others]]),
            torch.cat([own.person_ids, own.person_ids[person[same]], found.person_ids[others]]),
        )
        no_actions = self.labels.new_zeros(len(others), self.labels.shape[1])
        labels = torch.cat([self.labels, self.labels[person[same]], no_actions])
        keyframe_of = detected.keyframe_of()
        keyframe = np.concatenate([self.keyframe_of(), keyframe_of[same], keyframe_of[others]])
        order = np.argsort(keyframe, kind="stable")
        first = np.searchsorted(keyframe[order], np.arange(len(self) + 1))
        return replace(
            self, first=first, people=people.select(torch.from_numpy(order)), labels=labels[torch.from_numpy(order)]
        )

    def keyframe_of(self) -> NDArray[np.int64]:
        """(N,) the keyframe of each person."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))


def labelled_keyframes(
    ground_truth: pd.DataFrame, classes: ClassNames, offsets: VideoOffsets | None = None
) -> KeyframeTable:
    """Keyframes of AVA's rows: a person is one box and id of a keyframe, its rows are its actions.

    Rows of other classes leave a person without that label. Rows without a box (action 0) make a keyframe without
    persons.
    """
    rows = ground_truth.assign(timestamp=ground_truth["timestamp"].round(6))  # as the evaluator compares times
    rows = rows.sort_values([*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id"], kind="stable")
    keyframe = rows.groupby(KEYFRAME_COLUMNS, sort=True).ngroup().to_numpy()
    keys = rows[~rows.duplicated(KEYFRAME_COLUMNS)]
    has_box = (rows["action_id"] > 0).to_numpy()
    person = rows[has_box].groupby([*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id"], sort=True).ngroup().to_numpy()
    first_rows = np.flatnonzero(np.diff(person, prepend=-1))  # of each person
    labels = torch.zeros(len(first_rows), len(classes), dtype=torch.uint8)
    column = pd.Index(classes.ids).get_indexer(pd.Index(rows["action_id"][has_box]))
    known = column >= 0
    labels[torch.from_numpy(person[known]), torch.from_numpy(column[known])] = 1
    return KeyframeTable(
        keys["video"].to_numpy(object),
        keys["timestamp"].to_numpy(np.float64),
        np.searchsorted(keyframe[has_box][first_rows], np.arange(len(keys) + 1)),
        _person_boxes(rows[has_box].iloc[first_rows]),
        labels,
        offsets or VideoOffsets(),
    )


def detected_keyframes(keyframes: KeyframeTable, boxes: pd.DataFrame, *, min_score: float) -> KeyframeTable:
    """The same keyframes with the detected persons of at least `min_score`, without labels."""
    index = pd.MultiIndex.from_arrays([keyframes.videos, keyframes.times_s])
    kept = boxes[boxes["score"] >= min_score]
    keyframe = index.get_indexer(keyframe_index(kept))
    order = np.argsort(keyframe, kind="stable")
    order = order[keyframe[order] >= 0]
    first = np.searchsorted(keyframe[order], np.arange(len(keyframes) + 1))
    people = _person_boxes(kept.iloc[order])
    return replace(keyframes, first=first, people=people, labels=torch.zeros(len(people), 0, dtype=torch.uint8))


def keyframes_to_score(
    truth: KeyframeTable, dataset: DetectionDataset[Any], *, unlabelled: bool = False
) -> KeyframeTable:
    """The validation keyframes with their detected persons of `min_box_score`; logs how many boxes are used.

    unlabelled: also those at other times of the same videos, which some protocols score; not the excluded ones.
    Raises ValueError if there is none. With `overfit_clips`, the persons are the labelled ones.
    """
    if dataset.config.overfit_clips:
        return truth
    boxes, min_score = dataset.person_boxes("val"), dataset.config.min_box_score
    assert boxes is not None, "the validation split always has person boxes"
    if unlabelled:
        candidates = without_excluded(boxes[boxes["video"].isin(set(truth.videos))], dataset.excluded("val"))
        truth = replace(keyframes_of_boxes(candidates, min_score=min_score), offsets=truth.offsets)
    keyframes = detected_keyframes(truth, boxes, min_score=min_score)
    counts = np.diff(keyframes.first)
    logger.info(
        "val: %d persons with score >= %g in %d of %d keyframes",
        counts.sum(), min_score, (counts > 0).sum(), len(counts),
    )  # fmt: skip
    of_videos = boxes["video"].isin(set(truth.videos)) & (boxes["score"] >= min_score)
    if of_videos.sum() > counts.sum():
        logger.info("val: %d more are not at a keyframe of these videos", of_videos.sum() - counts.sum())
    if not counts.any():
        files = dataset.files("val")
        highest = f"the highest score is {boxes['score'].max():.2f}" if len(boxes) else "the file is empty"
        raise ValueError(
            f"{files['data.val_boxes']} has no box with score >= {min_score:g} on a keyframe of "
            f"{files['data.val_csv'].name} ({highest}); lower data.min_box_score or check the boxes' videos and "
            "timestamps"
        )
    return keyframes.select(counts > 0)


def keyframes_of_boxes(boxes: pd.DataFrame, *, min_score: float) -> KeyframeTable:
    """Every keyframe at which a person was detected."""
    keys = keyframe_index(boxes[boxes["score"] >= min_score]).unique().sort_values()
    empty = KeyframeTable(
        keys.get_level_values(0).to_numpy(object),
        keys.get_level_values(1).to_numpy(np.float64),
        np.zeros(len(keys) + 1, dtype=np.int64),
        PersonBoxes.from_boxes(torch.zeros(0, 4)),
        torch.zeros(0, 0, dtype=torch.uint8),
    )
    return detected_keyframes(empty, boxes, min_score=min_score)


def _best_match(detected: KeyframeTable, truth: KeyframeTable) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(D,) largest IoU of each detected person with the labelled ones of its keyframe, -1 without any, and (D,) whose.

    All pairs of a keyframe are computed at once: AVA has a million.
    """
    keyframe, counts = detected.keyframe_of(), np.diff(truth.first)
    pairs = counts[keyframe]
    start = np.cumsum(pairs) - pairs  # of each detected person's pairs
    one = np.repeat(np.arange(len(pairs)), pairs)
    other = np.arange(len(one)) - start[one] + truth.first[keyframe[one]]
    iou = paired_iou(detected.people.boxes[one], truth.people.boxes[other]).numpy()
    overlap, person = np.full(len(pairs), -1, np.float32), np.zeros(len(pairs), np.int64)
    ascending = np.lexsort((-other, iou))
    overlap[one[ascending]], person[one[ascending]] = iou[ascending], other[ascending]  # the last of each one stays
    return overlap, person


def _person_boxes(rows: pd.DataFrame) -> PersonBoxes:
    return PersonBoxes.from_boxes(
        torch.from_numpy(rows[BOX_COLUMNS].to_numpy(np.float32, copy=True)),
        torch.from_numpy(rows["score"].to_numpy(np.float32, copy=True)) if "score" in rows else None,
        torch.from_numpy(rows["person_id"].to_numpy(np.int64, copy=True)),
    )
