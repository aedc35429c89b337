"""Who is who from keyframe to keyframe: boxes of one video linked by where motion takes them.

A person walks on as before or stands still, whichever fits the next box better; box and guess are compared by
distance-IoU (IoU less the squared distance of the centres, as a share of the squared diagonal of both together), so
that fast people without any overlap are found again too. Each keyframe is one assignment problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torchvision.ops import distance_box_iou

from avdet.structures import PersonBoxes

__all__ = ["MAX_GAP_S", "PersonLinker", "link_persons", "tolerated_gap"]

MAX_GAP_S = 3.0
LEAST_FIT = -0.25  # distance-IoU from which on two boxes may be one person's; -1 is as far away as can be
VELOCITY_HALF_LIFE_S = 1.0  # after so long a new velocity counts as much as all before
UNLIKELY = -4.0  # below every distance-IoU


@dataclass
class _Track:
    """Box (4,) when last seen, velocity (4,) of its sides a second."""

    person_id: int
    box: Tensor
    time_s: float
    velocity: Tensor

    def guesses(self, time_s: float) -> Tensor:
        """(2, 4): gone on, and stayed."""
        return torch.stack([self.box + self.velocity * (time_s - self.time_s), self.box])

    def see(self, box: Tensor, time_s: float) -> None:
        """Sizes change little and their noise is large: only the centre has a velocity."""
        passed_s = time_s - self.time_s
        step = (_centre(box) - _centre(self.box)).repeat(2) / passed_s
        self.velocity = torch.lerp(self.velocity, step, 1.0 - 0.5 ** (passed_s / VELOCITY_HALF_LIFE_S))
        self.box, self.time_s = box, time_s


def tolerated_gap(times_s: Sequence[float] | NDArray[np.float64], max_gap_s: float = MAX_GAP_S) -> float:
    """`max_gap_s`, or one and a half times the usual distance of rising times: from one keyframe to the next, however
    far they are apart, is no gap.
    """
    return max(max_gap_s, 1.5 * float(np.median(np.diff(times_s)))) if len(times_s) > 1 else max_gap_s


def link_persons(
    times_s: Sequence[float],
    people: Sequence[PersonBoxes],
    *,
    max_gap_s: float = MAX_GAP_S,
    min_start_score: float = 0.5,
) -> list[PersonBoxes]:
    """The same boxes with person ids, numbered from 0 in the order in which people appear.

    One video's keyframes, times rising. An id survives keyframes without its person for the `tolerated_gap`. Boxes
    below `min_start_score` go on with somebody's track but start none: without one their id is -1.
    """
    assert len(times_s) == len(people)
    max_gap_s = tolerated_gap(times_s, max_gap_s)
    if any(later <= earlier for earlier, later in pairwise(times_s)):
        raise ValueError("keyframes must be linked in the order of their times, each time once; sort them by time")
    linker = PersonLinker(min_start_score=min_start_score)
    return [linker.link(time_s, here, max_gap_s=max_gap_s) for time_s, here in zip(times_s, people, strict=True)]


class PersonLinker:
    """As `link_persons`, keyframe by keyframe: it keeps in mind who was seen where, and how they moved."""

    def __init__(self, *, min_start_score: float = 0.5) -> None:
        self.min_start_score = min_start_score
        self._tracks: list[_Track] = []
        self._started = 0

    def link(self, time_s: float, here: PersonBoxes, *, max_gap_s: float = MAX_GAP_S) -> PersonBoxes:
        """The people of the next keyframe with their ids; who was last seen more than `max_gap_s` ago is forgotten."""
        self._tracks = [track for track in self._tracks if time_s - track.time_s <= max_gap_s]
        person_ids = torch.full((len(here),), -1)
        sure = here.scores >= self.min_start_score
        for choice in (sure, ~sure):  # an unsure box, perhaps half a person, must not take the place of a sure one
            unseen = [track for track in self._tracks if track.time_s < time_s]
            indices = torch.nonzero(choice).flatten().tolist()
            for row, column in _pairs(unseen, here.boxes[indices], time_s):
                unseen[row].see(here.boxes[indices[column]], time_s)
                person_ids[indices[column]] = unseen[row].person_id
        for index in torch.nonzero((person_ids < 0) & sure).flatten().tolist():
            self._tracks.append(_Track(self._started, here.boxes[index], time_s, torch.zeros(4)))
            person_ids[index] = self._started
            self._started += 1
        return PersonBoxes(here.boxes, here.scores, person_ids)


def _pairs(tracks: Sequence[_Track], boxes: Tensor, time_s: float) -> list[tuple[int, int]]:
    """(track, box) of the assignment that fits best in all."""
    if not tracks or not len(boxes):
        return []
    fit = _fit(torch.cat([track.guesses(time_s) for track in tracks]), boxes)
    rows, columns = linear_sum_assignment(fit, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if fit[row, column] >= LEAST_FIT]


def _fit(guesses: Tensor, boxes: Tensor) -> NDArray[np.float64]:
    """(tracks, boxes): the better of both guesses; pairs that cannot be are all alike, so that they bend no other."""
    fit = distance_box_iou(guesses, boxes).unflatten(0, (-1, 2)).amax(dim=1).double()
    return torch.where(fit >= LEAST_FIT, fit, UNLIKELY).numpy()


def _centre(box: Tensor) -> Tensor:
    return (box[:2] + box[2:]) / 2
