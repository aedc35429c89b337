"""Small ground truths and detections of the tube benchmarks, and plain loops that score them."""

from __future__ import annotations

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

UNSCORED = [
    "aerobic kick jump", "aerobic off axis jump", "aerobic butterfly jump", "aerobic balance turn",
    "basketball save", "basketball jump ball",
]  # fmt: skip
Found = list[tuple[str, float, np.ndarray]]  # of one class: video, score, tube


def tube(first: int, last: int, x: float = 10.0, *, width: float = 19.0, height: float = 39.0) -> np.ndarray:
    """Rows frame, x1, y1, x2, y2: a box that stays where it is, 20 x 40 pixels if the last ones count."""
    frames = np.arange(first, last + 1)
    return np.stack([frames, *(np.full(len(frames), v) for v in (x, 10.0, x + width, 10.0 + height))], axis=1)


def write_truth(
    path: Path,
    tubes: dict[str, dict[int, list[np.ndarray]]],
    labels: list[str],
    /,
    **others: Any,  # noqa: ANN401  (entries of the pickle)
) -> Path:
    content = {
        "labels": labels,
        "train_videos": [[]],
        "test_videos": [list(tubes)],
        "nframes": dict.fromkeys(tubes, 100),
        "resolution": dict.fromkeys(tubes, (100, 200)),
        "gttubes": tubes,
    }
    path.write_bytes(pickle.dumps({**content, **others}, protocol=2))
    return path


def write_pickle(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def random_case(seed: int, num_classes: int) -> tuple[dict[str, dict[int, list[np.ndarray]]], dict[int, Found]]:
    """Ground truth without the last class in any video, and detections that overlap it partly in space and time."""
    rng = np.random.default_rng(seed)
    truth: dict[str, dict[int, list[np.ndarray]]] = {}
    found: dict[int, Found] = {class_: [] for class_ in range(num_classes)}
    for video in (f"g/v{index}" for index in range(8)):
        truth[video] = defaultdict(list)
        for _ in range(4):
            class_, first = int(rng.integers(num_classes - 1)), int(rng.integers(1, 30))
            true = tube(first, first + int(rng.integers(4, 20)), x=float(rng.uniform(0, 60)), width=40.0)
            truth[video][class_].append(true)
            for _ in range(int(rng.integers(0, 4))):
                moved = true[int(rng.integers(0, 3)) : len(true) - int(rng.integers(0, 2))].copy()
                moved[:, 1:] += rng.normal(0, 6, (len(moved), 4))
                detected = class_ if rng.random() < 0.8 else int(rng.integers(num_classes - 1))
                found[detected].append((video, float(rng.random()), moved))
        truth[video] = dict(truth[video])
    return truth, found


def loop_box_iou(a: np.ndarray, b: np.ndarray, one: int) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]) + one)
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]) + one)
    areas = [(box[2] - box[0] + one) * (box[3] - box[1] + one) for box in (a, b)]
    return float(width * height / (sum(areas) - width * height))


def loop_tube_iou(a: np.ndarray, b: np.ndarray, one: int) -> float:
    boxes, others = ({int(row[0]): row[1:5] for row in rows} for rows in (a, b))
    shared = sorted(set(boxes) & set(others))
    if not shared:
        return 0.0
    union = max(a[-1, 0], b[-1, 0]) - min(a[0, 0], b[0, 0]) + one
    spatial = sum(loop_box_iou(boxes[frame], others[frame], one) for frame in shared) / len(shared)
    return float((shared[-1] - shared[0] + one) / union * spatial)


def loop_suppress(found: Found) -> Found:
    kept: Found = []
    for video, score, rows in sorted(found, key=lambda entry: -entry[1]):
        if all(video != other or loop_tube_iou(rows, better, 1) <= 0.3 for other, _, better in kept):
            kept.append((video, score, rows))
    return kept


def loop_video_ap(truths: dict[str, list[np.ndarray]], found: Found, iou: float, *, act: bool) -> float:
    """The rules of ACT or MultiSports in their own words: one detection after the other."""
    free = {(video, index) for video, tubes in truths.items() for index in range(len(tubes))}
    total, hits, points = len(free), 0, []
    for rank, (video, _, rows) in enumerate(sorted(loop_suppress(found) if act else found, key=lambda e: -e[1]), 1):
        ious = {
            (video, index): loop_tube_iou(true, rows, int(act))
            for index, true in enumerate(truths.get(video, []))
            if not act or (video, index) in free
        }
        best = max(ious, key=lambda key: ious[key], default=None)
        if best is not None and ious[best] >= iou and best in free:
            free.remove(best)
            hits += 1
        points.append((hits / total, hits / rank))
    if act:
        pairs = zip([(0.0, 1.0), *points], points, strict=False)
        return sum((recall - before) * (precision + previous) / 2 for (before, previous), (recall, precision) in pairs)
    recalls = [0.0, *(recall for recall, _ in points)]
    return sum(
        (recall - recalls[index]) * max(precision for _, precision in points[index:])
        for index, (recall, _) in enumerate(points)
    )
