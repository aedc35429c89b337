"""The protocols implemented again, row by row from their descriptions, as the reference of test_protocols.py.

Rows are plain tuples: ground truth (video, second, (x1, y1, x2, y2), id), with None for the box of a row
that only lists its keyframe; detections (video, second, box, id, score).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

Box = tuple[float, float, float, float]
Key = tuple[str, float]
TruthRow = tuple[str, float, "Box | None", int]
DetectionRow = tuple[str, float, Box, int, float]
Flags = list[tuple["float | np.float32", bool]]  # score and whether it is a true positive
Averages = dict[int, float]  # AP by class id, of the classes that are averaged


def iou(a: Box, b: Box) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def iou_float32(a: Box, b: Box) -> float:
    """IoU with sides and areas in float32 and the intersection in float64."""
    a0, a1, a2, a3 = (np.float32(value) for value in a)
    b0, b1, b2, b3 = (np.float32(value) for value in b)
    width = float(max(np.float32(0), min(a2, b2) - max(a0, b0)))
    height = float(max(np.float32(0), min(a3, b3) - max(a1, b1)))
    areas = (a2 - a0) * (a3 - a1) + (b2 - b0) * (b3 - b1)
    union = float(areas) - width * height
    return width * height / union if union > 0 else 0.0


def match(
    detections: Iterable[Box], truths: list[Box], box_iou: Callable[[Box, Box], float], threshold: float
) -> list[bool]:
    """Whether each detection of one keyframe and class is a true positive, in the given order."""
    matched: set[int] = set()
    true_positives = []
    for box in detections:
        ious = [box_iou(box, truth) for truth in truths]
        best = ious.index(max(ious)) if ious else -1
        is_tp = best >= 0 and ious[best] >= threshold and best not in matched
        true_positives.append(is_tp)
        if is_tp:
            matched.add(best)
    return true_positives


def average_precision(ranked: Flags, num_positives: int) -> float:
    """Area under the precision envelope of (score, is true positive) pairs, ranked by numpy's default sort."""
    points, num_tp = [], 0
    order = np.argsort(np.array([score for score, _ in ranked]))[::-1]
    for rank, index in enumerate(order.tolist(), start=1):
        num_tp += ranked[index][1]
        points.append((num_tp / num_positives, num_tp / rank))
    area, recall = 0.0, 0.0
    for index, (reached, _) in enumerate(points):
        area += (reached - recall) * max(precision for _, precision in points[index:])
        recall = reached
    return area


def _averages(flags: dict[int, Flags], boxes: dict[int, int], known: Iterable[int]) -> Averages:
    return {class_: average_precision(flags.get(class_, []), boxes[class_]) for class_ in known if boxes.get(class_)}


def _by_keyframe(rows: Iterable[DetectionRow]) -> dict[Key, list[DetectionRow]]:
    grouped: dict[Key, list[DetectionRow]] = defaultdict(list)
    for row in rows:
        grouped[row[:2]].append(row)
    return grouped


def _truths(ground_truth: Iterable[TruthRow], known: set[int], excluded: set[Key]) -> dict[tuple[Key, int], list[Box]]:
    truths: dict[tuple[Key, int], list[Box]] = defaultdict(list)
    for video, second, box, class_ in ground_truth:
        if box is not None and class_ in known and (video, second) not in excluded:
            truths[(video, second), class_].append(box)
    return truths


def heap_order(rows: list[tuple[float, int, Box]], limit: int) -> list[tuple[float, int, Box]]:
    """(score, id, box) as the official script keeps them: in a heap, then by descending score."""
    entries: list[tuple[float, ...]] = []
    for score, class_, (x1, y1, x2, y2) in rows:
        entry = (score, class_, y1, x1, y2, x2)
        if limit < 1 or len(entries) < limit:
            heapq.heappush(entries, entry)
        elif score > entries[0][0]:
            heapq.heapreplace(entries, entry)
    kept = sorted(entries, key=lambda entry: -entry[0])
    return [(score, int(class_), (x1, y1, x2, y2)) for score, class_, y1, x1, y2, x2 in kept]


def _boxes(truths: dict[tuple[Key, int], list[Box]]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for (_, class_), boxes in truths.items():
        counts[class_] += len(boxes)
    return counts


def official(
    ground_truth: list[TruthRow], detections: list[DetectionRow], known: set[int], excluded: set[Key], threshold: float
) -> Averages:
    """Excluded keyframes are ignored."""
    listed = {(video, second) for video, second, _, _ in ground_truth}
    truths = _truths(ground_truth, known, set())
    flags: dict[int, Flags] = defaultdict(list)
    for key, rows in _by_keyframe(row for row in detections if row[3] in known).items():
        best = heap_order([(row[4], row[3], row[2]) for row in rows], limit=50)
        if key in listed:
            for class_ in known:
                kept = [row for row in best if row[1] == class_ and row[2][0] < row[2][2] and row[2][1] < row[2][3]]
                boxes = heap_order([(1.0, class_, box) for box in truths.get((key, class_), [])], limit=0)
                matched = match((row[2] for row in kept), [box for _, _, box in boxes], iou, threshold)
                flags[class_] += [(row[0], is_tp) for row, is_tp in zip(kept, matched, strict=True)]
    return _averages(flags, _boxes(truths), known)


def pyslowfast(
    ground_truth: list[TruthRow], detections: list[DetectionRow], known: set[int], excluded: set[Key], threshold: float
) -> Averages:
    truths = _truths(ground_truth, known, excluded)
    flags: dict[int, Flags] = defaultdict(list)
    for key, rows in _by_keyframe(row for row in detections if row[3] in known).items():
        if key not in excluded:
            for class_ in known:
                kept = [row for row in rows if row[3] == class_ and row[2][0] < row[2][2] and row[2][1] < row[2][3]]
                matched = match((row[2] for row in kept), truths.get((key, class_), []), iou, threshold)
                flags[class_] += [(row[4], is_tp) for row, is_tp in zip(kept, matched, strict=True)]
    return _averages(flags, _boxes(truths), known)


def mmaction2(
    ground_truth: list[TruthRow], detections: list[DetectionRow], known: set[int], excluded: set[Key], threshold: float
) -> Averages:
    truths = _truths(ground_truth, known, excluded)
    scored = list(dict.fromkeys(key for key, _ in truths))
    flags: dict[int, Flags] = defaultdict(list)
    by_keyframe = _by_keyframe(row for row in detections if row[3] in known)
    for key in scored:
        for class_ in known:
            kept = sorted((row for row in by_keyframe[key] if row[3] == class_), key=lambda row: -row[4])
            matched = match((row[2] for row in kept), truths.get((key, class_), []), iou_float32, threshold)
            flags[class_] += [(np.float32(row[4]), is_tp) for row, is_tp in zip(kept, matched, strict=True)]
    detected = {class_ for class_ in known if flags[class_]}
    return _averages(flags, _boxes(_truths(ground_truth, known, set())), detected)


PROTOCOLS = {"official": official, "pyslowfast": pyslowfast, "mmaction2": mmaction2}
