"""Small tables of detections and ground truth for the video "clip"."""

from __future__ import annotations

import pandas as pd

from ava_eval import BOX_COLUMNS
from avdet.visualization.labelled_person import LabelledPerson

Box = tuple[float, float, float, float]

LABELS = {1: "sit", 2: "talk to", 3: "jump"}
LEFT, RIGHT = (0.1, 0.2, 0.4, 0.9), (0.6, 0.2, 0.9, 0.9)


def detections(*rows: tuple[float, Box, int, float, int]) -> pd.DataFrame:
    """Rows (timestamp, box, action_id, score, person_id)."""
    columns = ["video", "timestamp", *BOX_COLUMNS, "action_id", "score", "person_id"]
    return pd.DataFrame([("clip", time_s, *box, *rest) for time_s, box, *rest in rows], columns=columns)


def ground_truth(*rows: tuple[float, Box, int, int]) -> pd.DataFrame:
    """Rows (timestamp, box, action_id, person_id)."""
    columns = ["video", "timestamp", *BOX_COLUMNS, "action_id", "person_id"]
    return pd.DataFrame([("clip", time_s, *box, *rest) for time_s, box, *rest in rows], columns=columns)


def names_and_scores(person: LabelledPerson) -> list[tuple[str, float]]:
    return [(action.name, action.score) for action in person.actions]
