"""Small random evaluations, as plain rows and as tables for `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS
from tests.ava_eval.reference_protocols import Box, DetectionRow, Key, TruthRow

LABEL_MAP = {1: "sit", 3: "stand", 4: "walk", 9: "sing"}
ALL_IDS = (1, 3, 4, 9, 12)  # 12 is outside the label map


@dataclass
class RandomCase:
    """All scores differ, and no detection has the same IoU with two ground-truth boxes."""

    ground_truth: list[TruthRow]
    detections: list[DetectionRow]
    excluded: set[Key]

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        return truth_table(self.ground_truth), detection_table(self.detections), excluded_table(self.excluded)


def truth_table(rows: list[TruthRow]) -> pd.DataFrame:
    boxes = [row[2] or (np.nan,) * 4 for row in rows]
    return _table(rows, boxes).assign(action_id=np.array([row[3] for row in rows], dtype=int))


def detection_table(rows: list[DetectionRow]) -> pd.DataFrame:
    table = _table(rows, [row[2] for row in rows])
    return table.assign(
        action_id=np.array([row[3] for row in rows], dtype=int), score=np.array([row[4] for row in rows], dtype=float)
    )


def _table(rows: list[TruthRow] | list[DetectionRow], boxes: list[Box]) -> pd.DataFrame:
    table = pd.DataFrame(np.array(boxes, dtype=float).reshape(-1, 4), columns=BOX_COLUMNS)
    table.insert(0, "video", [row[0] for row in rows])
    table.insert(1, "timestamp", np.array([row[1] for row in rows], dtype=float))
    return table


def excluded_table(keys: set[Key]) -> pd.DataFrame:
    return pd.DataFrame(sorted(keys), columns=["video", "timestamp"]).astype({"timestamp": float, "video": str})


def random_case(seed: int) -> RandomCase:
    """Up to 12 keyframes with up to four persons. Half of the detections are near a person; some boxes are empty."""
    rng = np.random.default_rng(seed)
    truth: list[TruthRow] = []
    detections: list[DetectionRow] = []
    scores = iter(rng.permutation(5000) / 5000)
    keys = [(f"v{v}", 902 + t / 2) for v in range(rng.integers(1, 4)) for t in range(rng.integers(1, 5))]
    for video, second in keys:
        persons = [_box(rng) for _ in range(rng.integers(0, 5))]
        if not persons and rng.random() < 0.5:
            truth.append((video, second, None, 0))
        for person in persons:
            for id_ in rng.choice(ALL_IDS, rng.integers(1, 3), replace=False).tolist():
                truth.append((video, second, person, id_))
        for _ in range(int(rng.choice([0, 4, 20, 80]))):
            box = _near(rng, persons[rng.integers(len(persons))]) if persons and rng.random() < 0.6 else _box(rng)
            if rng.random() < 0.05:
                box = (box[0], box[1], box[0], box[3])
            detections.append((video, second, box, int(rng.choice(ALL_IDS)), float(next(scores))))
    order = rng.permutation(len(detections))
    excluded = {keys[rng.integers(len(keys))]} if rng.random() < 0.5 else set()
    truth.append((*keys[0], _box(rng), 3))
    detections.append((*keys[0], _box(rng), 3, 0.99995))
    return RandomCase(truth, [detections[index] for index in order] + detections[len(order) :], excluded)


def _box(rng: np.random.Generator) -> Box:
    x, y = np.sort(rng.random(2)), np.sort(rng.random(2))
    return (float(x[0]), float(y[0]), float(x[1]), float(y[1]))


def _near(rng: np.random.Generator, box: Box) -> Box:
    x1, y1, x2, y2 = (float(value) for value in np.array(box) + rng.normal(0, 0.02, 4))
    return (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
