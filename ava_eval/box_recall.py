"""How many persons the boxes cover, whatever they are said to do: the ceiling of any classifier on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.iou import paired_iou
from ava_eval.pairing import ROWS_AT_ONCE, Boxes
from ava_eval.result import Result


@dataclass
class BoxRecall:
    """Distinct boxes on keyframes with ground truth, and the fraction of true ones covered at each IoU."""

    truth_boxes: int
    detection_boxes: int
    recall: dict[float, float]


def box_recall(result: Result, ious: Sequence[float] = (0.5, 0.75, 0.9)) -> BoxRecall | None:
    """Recall of all detection boxes, of any class and score; None without ground truth."""
    selection = result.selection
    keyframe = selection.keyframes.add(selection.detections)
    place = np.flatnonzero(selection.has_truth[keyframe])
    detections = selection.detections[list(BOX_COLUMNS)].iloc[place].assign(keyframe=keyframe[place]).drop_duplicates()
    _, distinct = np.unique(
        np.column_stack([selection.truth.keyframe, selection.truth.boxes]), axis=0, return_index=True
    )
    if len(distinct) == 0:
        return None
    truths = selection.truth.boxes[distinct]
    boxes, keys = detections[list(BOX_COLUMNS)].to_numpy(), detections["keyframe"].to_numpy()
    lookup = Boxes(selection.truth.keyframe[distinct])
    best = np.zeros(len(distinct))
    for begin in range(0, len(boxes), ROWS_AT_ONCE):
        found, sizes, truth = lookup.sharing(keys[begin : begin + ROWS_AT_ONCE])
        np.maximum.at(best, truth, paired_iou(boxes[np.repeat(found + begin, sizes)], truths[truth]))
    return BoxRecall(len(distinct), len(boxes), {iou: float(np.mean(best >= iou)) for iou in ious})
