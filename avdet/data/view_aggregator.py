"""Scores of segments of videos from the scores of their test views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Aggregation", "SegmentScores", "ViewAggregator"]

Aggregation = Literal["mean", "max"]
SegmentScores = tuple[int, dict[str, NDArray[np.float64]]]  # a segment, and its (C,) scores by class set


@dataclass
class ViewAggregator:
    """Mean or maximum of the scores of each segment's views, added in the order in which they come."""

    aggregation: Aggregation
    num_views: dict[int, int] = field(default_factory=dict)
    scores: dict[int, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def add(self, segment: int, scores: Mapping[str, NDArray[np.float64]]) -> None:
        """Adds one view: (C,) scores by class set."""
        self.num_views[segment] = self.num_views.get(segment, 0) + 1
        previous = self.scores.get(segment)
        combine = np.add if self.aggregation == "mean" else np.maximum
        self.scores[segment] = {
            name: row if previous is None else combine(previous[name], row) for name, row in scores.items()
        }

    def result(self) -> list[SegmentScores]:
        """The aggregated scores of every segment."""
        divisor = {segment: count if self.aggregation == "mean" else 1 for segment, count in self.num_views.items()}
        return [
            (segment, {name: row / divisor[segment] for name, row in rows.items()})
            for segment, rows in self.scores.items()
        ]
