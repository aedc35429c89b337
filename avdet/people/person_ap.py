"""How well people are found: COCO's average precision, and recall and precision at one threshold."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from avdet.structures import PersonBoxes

__all__ = ["PersonScores", "score_people"]

IOU = 0.5
SIDE = 1000.0  # normalised boxes are scored as if every picture were so many pixels wide and high: IoU stays the same


@dataclass(frozen=True)
class PersonScores:
    """ap50: AP at IoU 0.5; ap: its mean over IoU 0.50 to 0.95; recall, precision: at IoU 0.5 of scores >= threshold.

    What has no denominator is None: AP and recall without people, precision without boxes over the threshold.
    """

    ap50: float | None
    ap: float | None
    recall: float | None
    precision: float | None
    threshold: float
    people: int
    boxes: int

    def to_json(self) -> dict[str, float | int | None]:
        return asdict(self)


def score_people(truth: Sequence[PersonBoxes], found: Sequence[PersonBoxes], *, threshold: float) -> PersonScores:
    """Picture by picture, `found` against `truth`, with pycocotools."""
    assert len(truth) == len(found)
    people = sum(len(one) for one in truth)
    boxes = sum(int((one.scores >= threshold).sum()) for one in found)
    if not people:
        return PersonScores(None, None, None, 0.0 if boxes else None, threshold, people, boxes)
    if not any(len(one) for one in found):
        return PersonScores(0.0, 0.0, 0.0, None, threshold, people, boxes)
    evaluation = _coco_evaluation(truth, found)
    right = _right_boxes(evaluation, threshold)
    precision = right / boxes if boxes else None
    return PersonScores(
        float(evaluation.stats[1]), float(evaluation.stats[0]), right / people, precision, threshold, people, boxes
    )


def _coco_evaluation(truth: Sequence[PersonBoxes], found: Sequence[PersonBoxes]) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        labelled = COCO()
        labelled.dataset = {
            "info": {},
            "images": [{"id": index} for index in range(len(truth))],
            "categories": [{"id": 1, "name": "person"}],
            "annotations": _rows(truth),
        }
        labelled.createIndex()
        evaluation = COCOeval(labelled, labelled.loadRes(_rows(found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _rows(people: Sequence[PersonBoxes]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for image, one in enumerate(people):
        for (x1, y1, x2, y2), score in zip((one.boxes * SIDE).tolist(), one.scores.tolist(), strict=True):
            box = [x1, y1, x2 - x1, y2 - y1]
            row = {"image_id": image, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            rows.append({**row, "id": len(rows) + 1, "score": score})
    return rows


def _right_boxes(evaluation: COCOeval, threshold: float) -> int:
    """Boxes of enough score that COCO matched to a person at IoU 0.5: it hands out people by falling score."""
    at_iou = int(np.flatnonzero(np.isclose(evaluation.params.iouThrs, IOU))[0])
    images = evaluation.evalImgs[: len(evaluation.params.imgIds)]  # the first of the area ranges is "all"
    return sum(
        int(((image["dtMatches"][at_iou] > 0) & (np.asarray(image["dtScores"]) >= threshold)).sum())
        for image in images
        if image is not None
    )
