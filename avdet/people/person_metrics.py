"""Metrics of person boxes: COCO's average precision, recall and precision at a threshold, identity switches."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.optimize import linear_sum_assignment

from avdet.boxes import iou_xyxy
from avdet.structures import PersonBoxes

__all__ = ["PersonMetrics", "id_switches", "person_metrics"]

IOU = 0.5
SIDE_PX = 1000.0  # normalised boxes become pixels of a square frame for pycocotools; their IoU stays the same


@dataclass(frozen=True)
class PersonMetrics:
    """ap50: AP at IoU 0.5; ap: mean AP over IoU 0.50 to 0.95; recall, precision: at IoU 0.5, of scores >= threshold.

    A metric without a denominator is None: AP and recall without persons, precision without boxes.
    """

    ap50: float | None
    ap: float | None
    recall: float | None
    precision: float | None
    threshold: float
    persons: int
    boxes: int

    def to_json(self) -> dict[str, float | int | None]:
        """The metrics as results.json has them, where `persons` is "people"."""
        names = {field: "people" if field == "persons" else field for field in self.__dataclass_fields__}
        return {name: getattr(self, field) for field, name in names.items()}


def person_metrics(truth: Sequence[PersonBoxes], found: Sequence[PersonBoxes], *, threshold: float) -> PersonMetrics:
    """Scores `found` against `truth`, keyframe by keyframe, with pycocotools."""
    assert len(truth) == len(found)
    persons = sum(len(boxes) for boxes in truth)
    boxes = sum(int((boxes.scores >= threshold).sum()) for boxes in found)
    if not persons:
        return PersonMetrics(None, None, None, 0.0 if boxes else None, threshold, persons, boxes)
    if not any(len(boxes) for boxes in found):
        return PersonMetrics(0.0, 0.0, 0.0, None, threshold, persons, boxes)
    evaluation = _coco_evaluation(truth, found)
    true_positives = _true_positives(evaluation, threshold)
    precision = true_positives / boxes if boxes else None
    ap, ap50 = float(evaluation.stats[0]), float(evaluation.stats[1])
    return PersonMetrics(ap50, ap, true_positives / persons, precision, threshold, persons, boxes)


def id_switches(truth: Sequence[PersonBoxes], found: Sequence[PersonBoxes], *, iou: float = 0.5) -> int:
    """Counts the ID switches of one video: a person of `truth` has another id in `found` than when last matched.

    Persons and boxes of a keyframe are matched one to one for the largest total IoU. Matches below `iou`, and persons
    and boxes without an id (-1), do not count.
    """
    assert len(truth) == len(found)
    last_id: dict[int, int] = {}
    switches = 0
    for persons, boxes in zip(truth, found, strict=True):
        identified = boxes.select(boxes.person_ids >= 0)
        ious = iou_xyxy(persons.boxes, identified.boxes)
        for person, box in zip(*linear_sum_assignment(ious.numpy(), maximize=True), strict=True):
            true_id, found_id = int(persons.person_ids[person]), int(identified.person_ids[box])
            if true_id < 0 or ious[person, box] < iou:
                continue
            switches += last_id.get(true_id, found_id) != found_id
            last_id[true_id] = found_id
    return switches


def _coco_evaluation(truth: Sequence[PersonBoxes], found: Sequence[PersonBoxes]) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        labelled = COCO()
        labelled.dataset = {
            "info": {},
            "images": [{"id": index} for index in range(len(truth))],
            "categories": [{"id": 1, "name": "person"}],
            "annotations": _annotations(truth),
        }
        labelled.createIndex()
        evaluation = COCOeval(labelled, labelled.loadRes(_annotations(found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _annotations(keyframes: Sequence[PersonBoxes]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for image_id, persons in enumerate(keyframes):
        for (x1, y1, x2, y2), score in zip((persons.boxes * SIDE_PX).tolist(), persons.scores.tolist(), strict=True):
            box = [x1, y1, x2 - x1, y2 - y1]
            row = {"image_id": image_id, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            rows.append({**row, "id": len(rows) + 1, "score": score})
    return rows


def _true_positives(evaluation: COCOeval, threshold: float) -> int:
    """Boxes with scores >= threshold that COCO's greedy matching assigns to a person at IoU 0.5."""
    at_iou = int(np.flatnonzero(np.isclose(evaluation.params.iouThrs, IOU))[0])
    images = evaluation.evalImgs[: len(evaluation.params.imgIds)]  # the first area range is "all"
    return sum(
        int(((image["dtMatches"][at_iou] > 0) & (np.asarray(image["dtScores"]) >= threshold)).sum())
        for image in images
        if image is not None
    )
