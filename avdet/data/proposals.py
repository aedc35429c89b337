"""Detected people, in the forms in which they circulate for AVA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval import read_boxes
from avdet.checkpoints.plain_pickle import read_plain_pickle
from avdet.data.keyframes import BOX, KEY

__all__ = ["read_proposals"]


def read_proposals(path: Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, score, person_id.

    A CSV, see `ava_eval.read_boxes`, or MMAction2's pickle: {"video,0902": boxes (N, 4) or (N, 5) with scores}.
    Raises ValueError for anything else, and for a pickle that holds more than arrays.
    """
    if path.suffix != ".pkl":
        return read_boxes(path)
    content = read_plain_pickle(path)
    if not isinstance(content, dict) or not all(_is_entry(key, boxes) for key, boxes in content.items()):
        raise ValueError(
            f'{path} does not map "video,second" to boxes (N, 4) or (N, 5); give a list as MMAction2 has them, or '
            "a CSV: video,timestamp,x1,y1,x2,y2,score"
        )
    keys = [key.rsplit(",", 1) for key in content]
    boxes = [np.asarray(found, np.float64) for found in content.values()]
    counts = [len(found) for found in boxes]
    scored = [found if found.shape[1] == 5 else np.column_stack([found, np.ones(len(found))]) for found in boxes]
    table = pd.DataFrame(np.concatenate(scored) if scored else np.zeros((0, 5)), columns=[*BOX, "score"])
    table.insert(0, "video", np.repeat([video for video, _ in keys], counts))
    table.insert(1, "timestamp", np.repeat([float(second) for _, second in keys], counts))
    return table.assign(person_id=-1)[[*KEY, *BOX, "score", "person_id"]]


def _is_entry(key: object, boxes: object) -> bool:
    if not isinstance(key, str) or not isinstance(boxes, np.ndarray) or boxes.ndim != 2 or boxes.shape[1] not in (4, 5):
        return False
    video, comma, second = key.rpartition(",")
    return bool(video and comma) and second.replace(".", "", 1).isdigit()
