"""PersonPredictions: one video's persons and their action scores, as columns.

80 scores of one person are 320 bytes here and 80 rows in a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ava_eval import BOX_COLUMNS
from avdet.datasets.class_names import ClassNames
from avdet.detection_table import COLUMNS
from avdet.people.box_table import COLUMNS as BOX_TABLE_COLUMNS
from avdet.people.tracks import link_persons
from avdet.people.tubes import smooth_scores
from avdet.resume_journal import arrays_from_bytes, arrays_to_bytes
from avdet.structures import PersonBoxes

__all__ = ["PersonPredictions"]


@dataclass(frozen=True)
class PersonPredictions:
    """One row per person and keyframe, by time.

    times_s: (N,) float64. boxes: (N, 4) float32, normalised. box_scores: (N,) float32.
    person_ids: (N,) int64, -1 if unknown.
    scores: (N, C) float32 in the order of the class names; NaN for persons that were not scored, whose box score is
    below `min_box_score`.
    features: (N, D) float32, the input of the last layer; D = 0 unless requested.
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
    def unscored(cls, times_s: Sequence[float], persons: Sequence[PersonBoxes], num_classes: int) -> PersonPredictions:
        """The persons of keyframes, with NaN scores and without features."""
        count = sum(map(len, persons))
        return cls(
            np.repeat(np.asarray(times_s, np.float64), [len(one) for one in persons]),
            torch.cat([torch.zeros(0, 4), *(one.boxes for one in persons)]).numpy(),
            torch.cat([torch.zeros(0), *(one.scores for one in persons)]).numpy(),
            torch.cat([torch.zeros(0, dtype=torch.int64), *(one.person_ids for one in persons)]).numpy(),
            np.full((count, num_classes), np.nan, np.float32),
            np.zeros((count, 0), np.float32),
        )

    @classmethod
    def concatenate(cls, chunks: Sequence[PersonPredictions]) -> PersonPredictions:
        """Joins one or more chunks, in order of time. Chunks without features get zeros if others have some."""
        width = max(chunk.features.shape[1] for chunk in chunks)
        chunks = [chunk if chunk.features.shape[1] == width else chunk._with_zeros(width) for chunk in chunks]
        return cls(*(np.concatenate([getattr(chunk, field.name) for chunk in chunks]) for field in fields(cls)))

    def select(self, rows: NDArray[np.bool_] | slice) -> PersonPredictions:
        """The rows of a mask or slice."""
        return PersonPredictions(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def scored(self) -> NDArray[np.bool_]:
        """(N,): persons that have scores."""
        return np.asarray(~np.isnan(self.scores).any(axis=1))

    def linked(self) -> PersonPredictions:
        """Gives the persons without id one by `link_persons`, numbered after the known ids.

        Every scored person gets an id.
        """
        unknown = self.person_ids < 0
        if not unknown.any():
            return self
        times_s, first = np.unique(self.times_s[unknown], return_index=True)
        boxes = torch.from_numpy(self.boxes[unknown]).tensor_split(first[1:].tolist())
        scores = torch.from_numpy(self.box_scores[unknown]).tensor_split(first[1:].tolist())
        persons = [PersonBoxes.from_boxes(b, s) for b, s in zip(boxes, scores, strict=True)]
        min_start_score = min(0.5, self.box_scores[self.scored].min(initial=0.5))
        linked = link_persons(times_s.tolist(), persons, min_start_score=float(min_start_score))
        found = torch.cat([one.person_ids for one in linked]).numpy()
        ids = self.person_ids.copy()
        ids[unknown] = np.where(found >= 0, found + self.person_ids.max() + 1, found)
        return replace(self, person_ids=ids)

    def smoothed(self, window_s: float) -> PersonPredictions:
        """Applies `smooth_scores` to every class."""
        if window_s == 0 or not self.scored.any():
            return self
        scored = self.select(self.scored)
        table = pd.DataFrame({"video": "", "timestamp": scored.times_s, "person_id": scored.person_ids})
        columns = [smooth_scores(table.assign(score=column), window_s)["score"] for column in scored.scores.T]
        scores = self.scores.copy()
        scores[self.scored] = np.stack(columns, axis=1)
        return replace(self, scores=scores)

    def box_rows(self, video: str) -> pd.DataFrame:
        """One row per person: video, timestamp, x1, y1, x2, y2, score, person_id."""
        columns = dict(zip(BOX_COLUMNS, self.boxes.T, strict=True))
        rows = {"timestamp": self.times_s, **columns, "score": self.box_scores, "person_id": self.person_ids}
        return pd.DataFrame(rows).assign(video=video)[BOX_TABLE_COLUMNS]

    def action_rows(self, video: str, classes: ClassNames, *, min_score: float = 0.0) -> pd.DataFrame:
        """One row per scored person and class: video, timestamp, x1, y1, x2, y2, action_id, score, person_id, action.

        Scores below `min_score` are left out, except each person's best. With features, a column `features` holds the
        person's (D,) in each of its rows.
        """
        best = self.scores == np.max(self.scores, axis=1, keepdims=True)
        row, column = np.nonzero((self.scores >= min_score) | best)  # NaN satisfies neither
        rows = {
            "timestamp": self.times_s[row],
            **dict(zip(BOX_COLUMNS, self.boxes[row].T, strict=True)),
            "action_id": np.asarray(classes.ids, np.int64)[column],
            "score": self.scores[row, column],
            "person_id": self.person_ids[row],
            "action": np.asarray(classes.names, object)[column],
        }
        if self.features.shape[1]:
            rows["features"] = pd.Series([self.features[index] for index in row.tolist()], dtype=object)
        table = pd.DataFrame(rows).assign(video=video)
        return table[[*COLUMNS, *table.columns.difference(COLUMNS, sort=False)]]

    def to_bytes(self) -> bytes:
        """The columns as an npz file."""
        return arrays_to_bytes(vars(self))

    @classmethod
    def from_bytes(cls, content: bytes) -> PersonPredictions:
        """Reads what `to_bytes` wrote."""
        return cls(**arrays_from_bytes(content))

    def _with_zeros(self, width: int) -> PersonPredictions:
        return replace(self, features=np.zeros((len(self), width), np.float32))
