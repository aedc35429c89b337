"""Who does what in a whole split: the model's scores for every person of every keyframe, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pandas as pd
from torch.utils.data import DataLoader

from avdet.detection_table import detection_table
from avdet.distributed import DistributedContext
from avdet.engine.progress import Stopwatch, progress_bar
from avdet.models.action_model import Predicts, detect
from avdet.structures import ClipBatch, Detections

__all__ = ["detect_split"]


def detect_split(
    model: Predicts,
    loader: DataLoader[list[ClipBatch]],
    class_ids: Sequence[int],
    process: DistributedContext,
    *,
    batches: int | None = None,
) -> pd.DataFrame:
    """The table of all processes' detections, on every process and in the same order for any number of them.

    batches: of each process, where not all are asked for.
    """
    model.eval()
    found: list[Detections] = []
    watch = Stopwatch()
    with progress_bar("evaluating", batches or len(loader), visible=process.is_main) as advance:
        for sizes in watch.waiting(islice(loader, batches)):
            for batch in sizes:
                found += detect(model, batch, process.device)
            advance(f"data {watch.data_s:.2f} s  step {watch.step_s:.2f} s")
    return detection_table(process.gather(found), class_ids)
