"""What happens in every clip of a split: the scores of all its views, pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from avdet.data.classification_clips import ViewBatch
from avdet.datasets.metrics import Scores
from avdet.distributed import DistributedContext
from avdet.engine.progress import Stopwatch, progress_bar
from avdet.structures import ClipBatch

__all__ = ["PooledScores", "pool_views", "score_split"]

Pool = Literal["mean", "max"]


class PredictsSets(Protocol):
    def eval(self) -> object: ...

    def predict_sets(self, batch: ClipBatch) -> dict[str, Tensor]: ...


@dataclass
class PooledScores:
    """Scores (C,) of each segment by class set, summed (or their maximum) over the views in the order they came."""

    pool: Pool
    views: dict[int, int] = field(default_factory=dict)
    rows: dict[int, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def add(self, segment: int, scores: Mapping[str, NDArray[np.float64]]) -> None:
        self.views[segment] = self.views.get(segment, 0) + 1
        before = self.rows.get(segment)
        join = np.add if self.pool == "mean" else np.maximum
        self.rows[segment] = {
            name: row if before is None else join(before[name], row) for name, row in scores.items()
        }  # fmt: skip

    def pooled(self) -> list[tuple[int, dict[str, NDArray[np.float64]]]]:
        divisor = {segment: count if self.pool == "mean" else 1 for segment, count in self.views.items()}
        return [
            (segment, {name: row / divisor[segment] for name, row in rows.items()})
            for segment, rows in self.rows.items()
        ]


def pool_views(parts: Sequence[tuple[int, dict[str, NDArray[np.float64]]]], num_segments: int) -> dict[str, Scores]:
    """(N, C) by class set in the order of the segments, each of which is there once."""
    by_segment = dict(parts)
    assert sorted(by_segment) == list(range(num_segments)) and len(parts) == num_segments
    names = by_segment[0].keys() if by_segment else ()
    return {name: np.stack([by_segment[i][name] for i in range(num_segments)]) for name in names}


@torch.inference_mode()
def score_split(
    model: PredictsSets, loader: DataLoader[ViewBatch], num_segments: int, pool: Pool, process: DistributedContext
) -> tuple[dict[str, Scores], dict[int, float]]:
    """Scores of all segments on every process, and by how many seconds some videos end before their labels.

    A process has all views of its segments, so neither their number nor the batch size changes a sum's order.
    """
    model.eval()
    found = PooledScores(pool)
    short: dict[int, float] = {}
    watch = Stopwatch()
    with progress_bar("evaluating", len(loader), visible=process.is_main) as advance:
        for views in watch.waiting(loader):
            scores = model.predict_sets(views.batch.to(process.device))
            columns = {name: x.double().cpu().numpy() for name, x in scores.items()}
            for row, segment in enumerate(views.segments):
                found.add(segment, {name: column[row] for name, column in columns.items()})
            short.update(views.short)
            advance(f"data {watch.data_s:.2f} s  step {watch.step_s:.2f} s")
    everyone = process.gather(found.pooled())
    return pool_views(everyone, num_segments), dict(sorted(process.gather(list(short.items()))))
