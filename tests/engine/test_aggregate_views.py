from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from avdet.data.classification_clips import ClipViews, ViewBatch, collate_views
from avdet.data.view_aggregator import ViewAggregator
from avdet.distributed import DistributedContext
from avdet.engine.aggregate_views import score_segments, stack_segments
from avdet.structures import Clip, ClipBatch

ALONE = DistributedContext(0, 1, torch.device("cpu"))


class Brightness:
    """Scores a view by its pictures' mean: two classes that sum to 1."""

    def eval(self) -> Brightness:
        return self

    def predict_sets(self, batch: ClipBatch) -> dict[str, Tensor]:
        share = batch.frames.float().mean(dim=(1, 2, 3, 4)) / 255
        return {"action": torch.stack([share, 1 - share], dim=1)}


def views(segment: int, *levels: int, missing_s: float = 0.0) -> ClipViews:
    crops = tuple(Clip("v", 0.0, torch.full((3, 2, 4, 4), level, dtype=torch.uint8)) for level in levels)
    return ClipViews(segment, crops, missing_s)


ITEMS = [views(0, 51, 102), views(0, 153, 204), views(1, 0, 255, missing_s=2.0), views(1, 255, 255)]


def loader(batch_size: int, items: list[ClipViews] = ITEMS) -> DataLoader[ViewBatch]:
    return DataLoader(items, batch_size=batch_size, collate_fn=collate_views)  # type: ignore[arg-type]


def test_views_are_averaged_or_their_maximum_taken() -> None:
    """Segment 0 sees 0.2, 0.4, 0.6, 0.8; segment 1 sees 0, 1, 1, 1."""
    mean, short = score_segments(Brightness(), loader(2), 2, "mean", ALONE)
    most, _ = score_segments(Brightness(), loader(2), 2, "max", ALONE)
    assert mean["action"] == pytest.approx(np.array([[0.5, 0.5], [0.75, 0.25]]))
    assert most["action"] == pytest.approx(np.array([[0.8, 0.8], [1.0, 1.0]]))
    assert short == {1: 2.0}


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    one, _ = score_segments(Brightness(), loader(batch_size), 2, "mean", ALONE)
    other, _ = score_segments(Brightness(), loader(2), 2, "mean", ALONE)
    assert (one["action"] == other["action"]).all()


def test_processes_together_have_every_segment_once() -> None:
    parts = []
    for rank in range(2):  # each has all views of its own segments
        found = ViewAggregator("mean")
        for item in ITEMS[2 * rank : 2 * rank + 2]:
            for clip in item.crops:
                found.add(item.segment, {"action": np.array([float(clip.frames[0, 0, 0, 0])])})
        parts += found.result()
    together = stack_segments(parts[::-1], 2)
    assert together["action"].tolist() == [[127.5], [191.25]]
    with pytest.raises(AssertionError):
        stack_segments(parts[:1], 2)
