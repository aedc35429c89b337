"""The detections table in AVA's format: the interface between prediction, evaluation and visualization."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from avdet.atomic_write import atomic_write
from avdet.structures import Detections

__all__ = ["COLUMNS", "detection_table", "write_detections"]

COLUMNS = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "score", "person_id"]


def detection_table(detections: Sequence[Detections], class_ids: Sequence[int]) -> pd.DataFrame:
    """Returns one row per person and class, sorted by video and time.

    class_ids: the benchmark's ids in the order of the score columns.
    """
    ordered = [d for d in sorted(detections, key=lambda d: (d.video, d.time_s)) if len(d.people)]
    if not ordered:
        return pd.DataFrame({name: [] for name in COLUMNS})
    counts = [len(d.people) for d in ordered]
    classes = len(class_ids)
    boxes = np.concatenate([d.people.boxes.numpy() for d in ordered]).repeat(classes, axis=0)
    columns = {
        "video": np.repeat(np.repeat([d.video for d in ordered], counts), classes),
        "timestamp": np.repeat(np.repeat([d.time_s for d in ordered], counts), classes),
        **dict(zip(BOX_COLUMNS, boxes.T, strict=True)),
        "action_id": np.tile(np.asarray(class_ids), sum(counts)),
        "score": np.concatenate([d.scores.numpy().reshape(-1) for d in ordered]),
        "person_id": np.concatenate([d.people.person_ids.numpy() for d in ordered]).repeat(classes),
    }
    return pd.DataFrame(columns)


def write_detections(table: pd.DataFrame, path: Path) -> None:
    """Writes AVA's CSV format, which has no header, and person ids only if there are any.

    The published scripts refuse a ninth column. Nine digits preserve every float32 score.
    """
    columns = COLUMNS if (table["person_id"] >= 0).any() else COLUMNS[:-1]
    with atomic_write(path) as partial:
        table.to_csv(partial, columns=columns, index=False, header=False, float_format="%.9g")
