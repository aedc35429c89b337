"""ClassScores: the scores of one video, or of each of its windows, by class set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.datasets.class_names import ClassNames
from avdet.resume_journal import arrays_from_bytes, arrays_to_bytes

__all__ = ["ClassScores"]


@dataclass(frozen=True)
class ClassScores:
    """N windows of a video; the whole video is one.

    start_s, end_s: (N,) float64. scores: (N, C) float64 by class set, in the order of `classes`.
    """

    video: str
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    scores: Mapping[str, NDArray[np.float64]]
    classes: Mapping[str, ClassNames]

    def __post_init__(self) -> None:
        assert self.start_s.shape == self.end_s.shape == (len(self),) and (self.start_s <= self.end_s).all()
        assert self.scores.keys() == self.classes.keys()
        for name, scores in self.scores.items():
            assert scores.shape == (len(self), len(self.classes[name])), (name, scores.shape)
            assert np.isfinite(scores).all(), name

    def __len__(self) -> int:
        return len(self.start_s)

    def top(self, count: int = 5) -> pd.DataFrame:
        """The highest scores of each window and class set: start_s, end_s, set, rank (from 1), class_id, class, score.

        Classes of equal score keep the order of `classes`.
        """
        rows = []
        for window in range(len(self)):
            for name, classes in self.classes.items():
                scores = self.scores[name][window]
                for rank, column in enumerate(np.argsort(-scores, kind="stable")[:count].tolist(), 1):
                    times_s = (self.start_s[window], self.end_s[window])
                    rows.append((*times_s, name, rank, classes.ids[column], classes.names[column], scores[column]))
        return pd.DataFrame(rows, columns=["start_s", "end_s", "set", "rank", "class_id", "class", "score"])

    def to_bytes(self) -> bytes:
        """Times and scores as an npz file."""
        scores = {f"scores:{name}": scores for name, scores in self.scores.items()}
        return arrays_to_bytes({"start_s": self.start_s, "end_s": self.end_s, **scores})

    @classmethod
    def from_bytes(cls, content: bytes, video: str, classes: Mapping[str, ClassNames]) -> ClassScores:
        """Reads what `to_bytes` wrote."""
        arrays = arrays_from_bytes(content)
        scores = {name: arrays[f"scores:{name}"] for name in classes}
        return cls(video, arrays["start_s"], arrays["end_s"], scores, classes)
