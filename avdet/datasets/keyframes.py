"""From AVA's tables to keyframes: one a video and second, with its people and what they do.

The table is columns, not objects: a loader's workers share its pages, and AVA's 210,634 keyframes are 60 MB.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from avdet.boxes import iou_xyxy
from avdet.structures import PersonBoxes

__all__ = [
    "ClassNames",
    "Keyframe",
    "KeyframeTable",
    "detected_keyframes",
    "keyframes_of_boxes",
    "labelled_keyframes",
    "refuse_unknown_actions",
    "without_excluded",
]

SAME_PERSON_IOU = 0.9  # PySlowFast's training lists hold the detected boxes that overlap a labelled one so much


@dataclass(frozen=True)
class ClassNames:
    """The classes in the order of the model's outputs, with the benchmark's own ids beside them."""

    ids: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def from_label_map(cls, label_map: dict[int, str]) -> ClassNames:
        ids = tuple(sorted(label_map))
        return cls(ids, tuple(label_map[i] for i in ids))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def label_map(self) -> dict[int, str]:
        return dict(zip(self.ids, self.names, strict=True))

    def indices(self, names: Sequence[str], setting: str) -> list[int]:
        """Places of these classes. Raises ValueError for a name that is none, with the nearest."""
        for name in names:
            if name not in self.names:
                close = difflib.get_close_matches(name, self.names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(self.names)}"
                raise ValueError(f"{setting} names {name!r}, which is no class of the label map; {hint}")
        return [self.names.index(name) for name in names]

    def select(self, names: Sequence[str], setting: str) -> ClassNames:
        """These classes alone, in the map's order."""
        kept = sorted(set(self.indices(names, setting)))
        return ClassNames(tuple(self.ids[i] for i in kept), tuple(self.names[i] for i in kept))


@dataclass(frozen=True)
class Keyframe:
    """The people of one second of a video; `labels` (N, C) multi-hot, without columns where nobody knows them.

    time_s is the tables' second, movie_s the same one on the movie's own clock.
    """

    video: str
    time_s: float
    video_s: float
    people: PersonBoxes
    labels: Tensor


@dataclass(frozen=True)
class KeyframeTable:
    """Keyframe k is at `times_s[k]` of `videos[k]` and holds people `first[k]` to `first[k + 1]`.

    origin_s: what the tables call the first second of every movie.
    """

    videos: NDArray[np.object_]
    times_s: NDArray[np.float64]
    first: NDArray[np.int64]
    people: PersonBoxes
    labels: Tensor
    origin_s: float = 0.0

    def __post_init__(self) -> None:
        assert len(self.videos) == len(self.times_s) == len(self.first) - 1
        assert self.first[-1] == len(self.people) == len(self.labels)

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Keyframe:
        here = slice(int(self.first[index]), int(self.first[index + 1]))
        people = PersonBoxes(self.people.boxes[here], self.people.scores[here], self.people.person_ids[here])
        time_s = float(self.times_s[index])
        return Keyframe(str(self.videos[index]), time_s, time_s - self.origin_s, people, self.labels[here].float())

    def select(self, keep: NDArray[np.bool_]) -> KeyframeTable:
        """The keyframes where `keep` (K,) is true."""
        counts = np.diff(self.first)
        people = torch.from_numpy(np.repeat(keep, counts))
        first = np.concatenate([[0], np.cumsum(counts[keep])])
        return replace(
            self,
            videos=self.videos[keep],
            times_s=self.times_s[keep],
            first=first,
            people=self.people.select(people),
            labels=self.labels[people],
        )

    def with_detected(self, boxes: pd.DataFrame) -> KeyframeTable:
        """Every detected box that overlaps a labelled person is added with that person's labels and id."""
        found = detected_keyframes(self, boxes, min_score=0.0)
        keyframes = [_with_matches(self[k], found[k].people) for k in range(len(self))]
        people = [keyframe.people for keyframe in keyframes]
        return replace(
            self,
            first=np.concatenate([[0], np.cumsum([len(p) for p in people])]),
            people=PersonBoxes(
                torch.cat([p.boxes for p in people]),
                torch.cat([p.scores for p in people]),
                torch.cat([p.person_ids for p in people]),
            ),
            labels=torch.cat([keyframe.labels for keyframe in keyframes]).to(torch.uint8),
        )


def without_excluded(table: pd.DataFrame, excluded: pd.DataFrame | None) -> pd.DataFrame:
    """The rows whose video and timestamp are not listed as excluded."""
    if excluded is None:
        return table
    return table[~_keys(table).isin(_keys(excluded))]


def refuse_unknown_actions(ground_truth: pd.DataFrame, label_map: Mapping[int, str], path: Path) -> None:
    """Raises ValueError for an id above all of the label map's.

    Smaller ones that the map leaves out are no mistake: AVA labels 80 classes and scores 60 of them.
    """
    largest = int(ground_truth["action_id"].max()) if len(ground_truth) else 0
    if largest > max(label_map):
        raise ValueError(
            f"{path} has the action id {largest}, but the label map ends at {max(label_map)}; add the class to the "
            "map or correct the row"
        )


def labelled_keyframes(ground_truth: pd.DataFrame, classes: ClassNames) -> KeyframeTable:
    """A person is one box (and id) of a keyframe; its rows, one an action, become one multi-hot row of labels.

    Rows of classes that are not in `classes` leave a person without that label, as AVA's 80 classes under its map of
    60 do; rows that only list a keyframe (action 0) give one without people.
    """
    rows = _to_microseconds(ground_truth).sort_values([*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id"], kind="stable")
    keyframe = rows.groupby(KEYFRAME_COLUMNS, sort=True).ngroup().to_numpy()
    keys = rows[~rows.duplicated(KEYFRAME_COLUMNS)]
    acts = (rows["action_id"] > 0).to_numpy()
    person = rows[acts].groupby([*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id"], sort=True).ngroup().to_numpy()
    starts = np.flatnonzero(np.diff(person, prepend=-1))
    labels = torch.zeros(len(starts), len(classes), dtype=torch.uint8)
    column = pd.Index(classes.ids).get_indexer(pd.Index(rows["action_id"][acts]))
    known = column >= 0
    labels[torch.from_numpy(person[known]), torch.from_numpy(column[known])] = 1
    first = np.searchsorted(keyframe[acts][starts], np.arange(len(keys) + 1))
    return KeyframeTable(
        keys["video"].to_numpy(object),
        keys["timestamp"].to_numpy(np.float64),
        first,
        _people(rows[acts].iloc[starts]),
        labels,
    )


def detected_keyframes(keyframes: KeyframeTable, boxes: pd.DataFrame, *, min_score: float) -> KeyframeTable:
    """The same keyframes with the people a detector found there at `min_score` or more, and no labels."""
    index = pd.MultiIndex.from_arrays([keyframes.videos, keyframes.times_s])
    kept = boxes[boxes["score"] >= min_score]
    keyframe = index.get_indexer(_keys(kept))
    order = np.argsort(keyframe, kind="stable")
    order = order[keyframe[order] >= 0]
    first = np.searchsorted(keyframe[order], np.arange(len(keyframes) + 1))
    people = _people(kept.iloc[order])
    return replace(keyframes, first=first, people=people, labels=torch.zeros(len(people), 0, dtype=torch.uint8))


def keyframes_of_boxes(boxes: pd.DataFrame, *, min_score: float) -> KeyframeTable:
    """Every keyframe at which a detector found somebody."""
    keys = (
        _to_microseconds(boxes[boxes["score"] >= min_score])
        .drop_duplicates(KEYFRAME_COLUMNS)
        .sort_values(KEYFRAME_COLUMNS)
    )
    nobody = KeyframeTable(
        keys["video"].to_numpy(object),
        keys["timestamp"].to_numpy(np.float64),
        np.zeros(len(keys) + 1, dtype=np.int64),
        PersonBoxes.from_boxes(torch.zeros(0, 4)),
        torch.zeros(0, 0, dtype=torch.uint8),
    )
    return detected_keyframes(nobody, boxes, min_score=min_score)


def _keys(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(_to_microseconds(table)[KEYFRAME_COLUMNS])


def _to_microseconds(table: pd.DataFrame) -> pd.DataFrame:
    """Times as the evaluator tells them apart: one that was computed may be off by less."""
    return table.assign(timestamp=table["timestamp"].round(6))


def _with_matches(keyframe: Keyframe, found: PersonBoxes) -> Keyframe:
    if not len(found) or not len(keyframe.people):
        return keyframe
    overlap, person = iou_xyxy(found.boxes, keyframe.people.boxes).max(dim=1)
    same = overlap >= SAME_PERSON_IOU
    people = PersonBoxes(
        torch.cat([keyframe.people.boxes, found.boxes[same]]),
        torch.cat([keyframe.people.scores, found.scores[same]]),
        torch.cat([keyframe.people.person_ids, keyframe.people.person_ids[person[same]]]),
    )
    labels = torch.cat([keyframe.labels, keyframe.labels[person[same]]])
    return replace(keyframe, people=people, labels=labels)


def _people(rows: pd.DataFrame) -> PersonBoxes:
    return PersonBoxes.from_boxes(
        torch.from_numpy(rows[BOX_COLUMNS].to_numpy(np.float32, copy=True)),
        torch.from_numpy(rows["score"].to_numpy(np.float32, copy=True)) if "score" in rows else None,
        torch.from_numpy(rows["person_id"].to_numpy(np.int64, copy=True)),
    )
