"""Recall of the person boxes alone: the upper bound of any classifier on these boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.matching import CHUNK_ROWS, BoxLookup, paired_iou
from ava_eval.result import Result


@dataclass
class BoxRecall:
    """Numbers of distinct boxes on keyframes with ground truth, and the recall (a fraction of 1) at each IoU."""

    truth_boxes: int
    detection_boxes: int
    recall: dict[float, float]


def box_recall(result: Result, ious: Sequence[float] = (0.5, 0.75, 0.9)) -> BoxRecall | None:
    """Recall of all detected boxes, regardless of class and score; None without ground truth."""
    selection = result.selection
    keyframe = selection.keyframes.add(selection.detections)
    rows = np.flatnonzero(selection.has_truth[keyframe])
    detections = selection.detections[list(BOX_COLUMNS)].iloc[rows].assign(keyframe=keyframe[rows]).drop_duplicates()
    truth_key = np.column_stack([selection.truth.keyframe, selection.truth.boxes])
    _, distinct = np.unique(truth_key, axis=0, return_index=True)
    if len(distinct) == 0:
        return None
    truth_boxes = selection.truth.boxes[distinct]
    boxes, keyframes = detections[list(BOX_COLUMNS)].to_numpy(), detections["keyframe"].to_numpy()
    lookup = BoxLookup(selection.truth.keyframe[distinct])
    best_iou = np.zeros(len(distinct))
    for start in range(0, len(boxes), CHUNK_ROWS):
        index, sizes, truth = lookup.find(keyframes[start : start + CHUNK_ROWS])
        np.maximum.at(best_iou, truth, paired_iou(boxes[np.repeat(index + start, sizes)], truth_boxes[truth]))
    return BoxRecall(len(distinct), len(boxes), {iou: float(np.mean(best_iou >= iou)) for iou in ious})
