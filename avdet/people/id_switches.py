"""How steady the ids of a video's people are."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.optimize import linear_sum_assignment

from avdet.boxes import iou_xyxy
from avdet.structures import PersonBoxes

__all__ = ["id_switches"]


def id_switches(truth: Sequence[PersonBoxes], found: Sequence[PersonBoxes], *, iou: float = 0.5) -> int:
    """How often a person of `truth` carries another id of `found` than when last found; one video, in its order.

    At each keyframe people and boxes are paired so that they overlap most in all; pairs below `iou`, and people and
    boxes without an id (-1), do not count.
    """
    assert len(truth) == len(found)
    carried: dict[int, int] = {}
    switches = 0
    for people, boxes in zip(truth, found, strict=True):
        named = boxes.select(boxes.person_ids >= 0)
        overlap = iou_xyxy(people.boxes, named.boxes)
        for person, box in zip(*linear_sum_assignment(overlap.numpy(), maximize=True), strict=True):
            who, person_id = int(people.person_ids[person]), int(named.person_ids[box])
            if who < 0 or overlap[person, box] < iou:
                continue
            switches += carried.get(who, person_id) != person_id
            carried[who] = person_id
    return switches
