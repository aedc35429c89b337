"""Scores of segments from the scores of all their test views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from avdet.data.classification_clips import ViewBatch
from avdet.data.view_aggregator import Aggregation, SegmentScores, ViewAggregator
from avdet.datasets.metrics import Scores
from avdet.distributed import DistributedContext
from avdet.engine.progress import Stopwatch, progress_bar
from avdet.structures import ClipBatch

__all__ = ["score_segments", "stack_segments"]


class PredictsSets(Protocol):
    """A model that scores clips by class set."""

    def eval(self) -> object: ...

    def predict_sets(self, batch: ClipBatch) -> dict[str, Tensor]: ...


def stack_segments(results: Sequence[SegmentScores], num_segments: int) -> dict[str, Scores]:
    """(N, C) by class set in the order of the segments, each of which must occur once."""
    by_segment = dict(results)
    assert sorted(by_segment) == list(range(num_segments)) and len(results) == num_segments
    names = by_segment[0].keys() if by_segment else ()
    return {name: np.stack([by_segment[i][name] for i in range(num_segments)]) for name in names}


@torch.inference_mode()
def score_segments(
    model: PredictsSets,
    loader: DataLoader[ViewBatch],
    num_segments: int,
    aggregation: Aggregation,
    process: DistributedContext,
) -> tuple[dict[str, Scores], dict[int, float]]:
    """Scores of all segments, and by segment the seconds that are missing at the end of its video; on every process.

    One process has all views of a segment, so neither the number of processes nor the batch size changes a sum's order.
    """
    model.eval()
    aggregator = ViewAggregator(aggregation)
    missing_s: dict[int, float] = {}
    watch = Stopwatch()
    with progress_bar("evaluating", len(loader), visible=process.is_main) as advance:
        for views in watch.waiting(loader):
            scores = model.predict_sets(views.batch.to(process.device))
            columns = {name: x.double().cpu().numpy() for name, x in scores.items()}
            for row, segment in enumerate(views.segments):
                aggregator.add(segment, {name: column[row] for name, column in columns.items()})
            missing_s.update(views.missing_s)
            advance(f"data {watch.data_s:.2f} s  step {watch.step_s:.2f} s")
    results = process.all_gather(aggregator.result())
    return stack_segments(results, num_segments), dict(sorted(process.all_gather(list(missing_s.items()))))
