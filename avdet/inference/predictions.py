"""People of one video and what they do, as columns: 80 scores a person are 320 bytes here and 80 rows in a table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ava_eval import BOX_COLUMNS
from avdet.datasets.keyframes import ClassNames
from avdet.detection_table import COLUMNS
from avdet.people.smooth_scores import smooth_scores
from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes

__all__ = ["PersonPredictions"]


@dataclass(frozen=True)
class PersonPredictions:
    """A row a person and keyframe, by time.

    times_s (N,) float64; boxes (N, 4) float32, normalised; box_scores (N,) float32; person_ids (N,), -1 unknown;
    scores (N, C) float32 in the order of the class names, NaN for people who were not judged, because nobody was sure
    enough of them; features (N, D) float32, what the last layer saw, with D = 0 unless they were asked for.
    """

    times_s: NDArray[np.float64]
    boxes: NDArray[np.float32]
    box_scores: NDArray[np.float32]
    person_ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    features: NDArray[np.float32]

    def __post_init__(self) -> None:
        assert {len(getattr(self, field.name)) for field in fields(self)} == {len(self.times_s)}
        assert self.boxes.shape[1:] == (4,) and self.scores.ndim == self.features.ndim == 2

    def __len__(self) -> int:
        return len(self.times_s)

    @classmethod
    def of_keyframes(
        cls, times_s: Sequence[float], people: Sequence[PersonBoxes], num_classes: int
    ) -> PersonPredictions:
        """Whom somebody found, not judged yet."""
        count = sum(map(len, people))
        return cls(
            np.repeat(np.asarray(times_s, np.float64), [len(one) for one in people]),
            torch.cat([torch.zeros(0, 4), *(one.boxes for one in people)]).numpy(),
            torch.cat([torch.zeros(0), *(one.scores for one in people)]).numpy(),
            torch.cat([torch.zeros(0, dtype=torch.int64), *(one.person_ids for one in people)]).numpy(),
            np.full((count, num_classes), np.nan, np.float32),
            np.zeros((count, 0), np.float32),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[PersonPredictions]) -> PersonPredictions:
        """One or more parts, in the order of time. Parts that judged nobody have no features and get zeros."""
        width = max(part.features.shape[1] for part in parts)
        parts = [part if part.features.shape[1] == width else part._with_zeros(width) for part in parts]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def select(self, rows: NDArray[np.bool_] | slice) -> PersonPredictions:
        return PersonPredictions(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def judged(self) -> NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.scores).any(axis=1))

    def linked(self) -> PersonPredictions:
        """With person ids by `link_persons` for those whose id nobody knew before, numbered behind the known ones.

        Whoever was judged gets one.
        """
        unknown = self.person_ids < 0
        if not unknown.any():
            return self
        times_s, first = np.unique(self.times_s[unknown], return_index=True)
        boxes = torch.from_numpy(self.boxes[unknown]).tensor_split(first[1:].tolist())
        scores = torch.from_numpy(self.box_scores[unknown]).tensor_split(first[1:].tolist())
        people = [PersonBoxes.from_boxes(b, s) for b, s in zip(boxes, scores, strict=True)]
        least = min(0.5, self.box_scores[self.judged].min(initial=0.5))
        linked = link_persons(times_s.tolist(), people, min_start_score=float(least))
        found = torch.cat([one.person_ids for one in linked]).numpy()
        ids = self.person_ids.copy()
        ids[unknown] = np.where(found >= 0, found + self.person_ids.max() + 1, found)
        return replace(self, person_ids=ids)

    def smoothed(self, window_s: float) -> PersonPredictions:
        """Scores by `smooth_scores`, action by action."""
        if window_s == 0 or not self.judged.any():
            return self
        judged = self.select(self.judged)
        table = pd.DataFrame({"video": "", "timestamp": judged.times_s, "person_id": judged.person_ids})
        smooth = [smooth_scores(table.assign(score=column), window_s)["score"] for column in judged.scores.T]
        scores = self.scores.copy()
        scores[self.judged] = np.stack(smooth, axis=1)
        return replace(self, scores=scores)

    def box_rows(self, video: str) -> pd.DataFrame:
        """video, timestamp, x1, y1, x2, y2, score, person_id: everybody who was found."""
        columns = dict(zip(BOX_COLUMNS, self.boxes.T, strict=True))
        return pd.DataFrame(
            {"timestamp": self.times_s, **columns, "score": self.box_scores, "person_id": self.person_ids}
        ).assign(video=video)[["video", "timestamp", *BOX_COLUMNS, "score", "person_id"]]

    def action_rows(self, video: str, classes: ClassNames, *, min_score: float = 0.0) -> pd.DataFrame:
        """A row a judged person and class: video, timestamp, x1, y1, x2, y2, action_id, score, person_id, action.

        Each person's best class is among them, however many are below `min_score`. With features a column `features`
        has a person's (D,) in each of its rows.
        """
        best = self.scores == np.max(self.scores, axis=1, keepdims=True)
        row, column = np.nonzero((self.scores >= min_score) | best)  # NaN is neither
        found = {
            "timestamp": self.times_s[row],
            **dict(zip(BOX_COLUMNS, self.boxes[row].T, strict=True)),
            "action_id": np.asarray(classes.ids, np.int64)[column],
            "score": self.scores[row, column],
            "person_id": self.person_ids[row],
            "action": np.asarray(classes.names, object)[column],
        }
        if self.features.shape[1]:
            found["features"] = pd.Series([self.features[index] for index in row.tolist()], dtype=object)
        table = pd.DataFrame(found).assign(video=video)
        return table[[*COLUMNS, *table.columns.difference(COLUMNS, sort=False)]]

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        np.savez(file, **vars(self))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> PersonPredictions:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def _with_zeros(self, width: int) -> PersonPredictions:
        return replace(self, features=np.zeros((len(self), width), np.float32))
