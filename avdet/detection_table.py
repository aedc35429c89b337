"""Detections as AVA's table: a row a person and class. The interface between all that predicts, scores and draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.structures import Detections

__all__ = ["COLUMNS", "detection_table", "write_detections"]

COLUMNS = ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]


def detection_table(detections: Sequence[Detections], class_ids: Sequence[int]) -> pd.DataFrame:
    """Sorted by video and time, so that the table does not depend on who found what first."""
    found = [d for d in sorted(detections, key=lambda d: (d.video, d.time_s)) if len(d.people)]
    if not found:
        return pd.DataFrame({name: [] for name in COLUMNS})
    counts = [len(d.people) for d in found]
    classes = len(class_ids)
    boxes = np.concatenate([d.people.boxes.numpy() for d in found]).repeat(classes, axis=0)
    columns = {
        "video": np.repeat(np.repeat([d.video for d in found], counts), classes),
        "timestamp": np.repeat(np.repeat([d.time_s for d in found], counts), classes),
        **dict(zip(COLUMNS[2:6], boxes.T, strict=True)),
        "action_id": np.tile(np.asarray(class_ids), sum(counts)),
        "score": np.concatenate([d.scores.numpy().reshape(-1) for d in found]),
        "person_id": np.concatenate([d.people.person_ids.numpy() for d in found]).repeat(classes),
    }
    return pd.DataFrame(columns)


def write_detections(table: pd.DataFrame, path: Path) -> None:
    """AVA's form, with nine digits: every float32 score reads back equal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, columns=COLUMNS, index=False, header=False, float_format="%.9g")
