"""Detected person boxes (proposals) in the formats in which they circulate for AVA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS, read_boxes
from ava_eval.csv_format import PIXEL_THRESHOLD
from ava_eval.restricted_unpickler import restricted_load

__all__ = ["read_proposals"]

ROUNDING = 1e-3  # float32 scores may exceed 1 by this much


def read_proposals(path: Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, score, person_id.

    A CSV, see `ava_eval.read_boxes`, or MMAction2's pickle: {"video,0902": boxes (N, 4) or (N, 5) with scores}.
    Raises ValueError for any other file, for a pickle that contains more than arrays, and for an invalid box or score.
    """
    if path.suffix != ".pkl":
        return read_boxes(path)
    content = restricted_load(path)
    entries = content.items() if isinstance(content, dict) else [(type(content).__name__, content)]
    for key, boxes in entries:
        if not _is_entry(key, boxes):
            raise ValueError(
                f'{path} does not map "video,second" to boxes (N, 4) or (N, 5) of numbers (see {key!r}); give a list '
                "as MMAction2 has them, or a CSV: video,timestamp,x1,y1,x2,y2,score"
            )
    keys = [key.rsplit(",", 1) for key in content]
    found = [np.asarray(boxes, np.float64) for boxes in content.values()]
    counts = np.array([len(boxes) for boxes in found], np.int64)
    scored = [boxes if boxes.shape[1] == 5 else np.column_stack([boxes, np.ones(len(boxes))]) for boxes in found]
    rows = np.concatenate(scored) if scored else np.zeros((0, 5))
    _check_rows(rows, np.repeat(list(content), counts), path)
    table = pd.DataFrame(rows, columns=[*BOX_COLUMNS, "score"])
    table.insert(0, "video", np.repeat([video for video, _ in keys], counts))
    table.insert(1, "timestamp", np.repeat([float(second) for _, second in keys], counts))
    return table.assign(person_id=-1)[[*KEYFRAME_COLUMNS, *BOX_COLUMNS, "score", "person_id"]]


def _check_rows(rows: NDArray[np.float64], keys: NDArray[np.str_], path: Path) -> None:
    """rows: (N, 5) boxes and scores; keys: (N,) the dictionary key of each row."""
    boxes, scores = rows[:, :4], rows[:, 4]
    largest, least = boxes.max(axis=1), boxes.min(axis=1)
    for wrong, rule in (
        (~np.isfinite(rows).all(axis=1), "NaN and Inf are not allowed"),
        ((boxes[:, :2] > boxes[:, 2:]).any(axis=1), "boxes are corners, x1 <= x2 and y1 <= y2"),
        (
            (largest > PIXEL_THRESHOLD) | (least < 1 - PIXEL_THRESHOLD),
            "boxes are fractions of the frame, from 0 to 1",
        ),
        ((scores < 0) | (scores > 1 + ROUNDING), "scores are from 0 to 1"),
    ):
        if wrong.any():
            at = int(wrong.argmax())
            values = ", ".join(f"{number:g}" for number in rows[at])
            raise ValueError(f"{path}: {str(keys[at])!r} has the box and score {values}; {rule}, so correct the list")


def _is_entry(key: object, boxes: object) -> bool:
    if not isinstance(key, str) or not isinstance(boxes, np.ndarray) or boxes.ndim != 2 or boxes.shape[1] not in (4, 5):
        return False
    video, comma, second = key.rpartition(",")
    return bool(video and comma) and second.replace(".", "", 1).isdecimal()
