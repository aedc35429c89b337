"""Links the person boxes of one video's keyframes into tracks, which gives them person ids.

Each track predicts two boxes for the next keyframe: moved on at constant velocity, and unmoved. The prediction that
fits better counts. Similarity is distance-IoU: IoU minus the squared distance of the centres over the squared diagonal
of the enclosing box, so that fast persons without any overlap are linked too. Each keyframe is one assignment problem.
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

__all__ = ["MAX_GAP_S", "PersonLinker", "keyframe_interval", "link_persons", "tolerated_gap"]

MAX_GAP_S = 3.0
MIN_SIMILARITY = -0.25  # distance-IoU below which two boxes are different persons; its range is -1 to 1
VELOCITY_HALF_LIFE_S = 1.0  # half-life of the velocity's exponential moving average
_DEFAULT_INTERVAL_S = 1.0  # of a table with a single keyframe: AVA's
INFEASIBLE = -4.0  # similarity of pairs that must not be linked, below every distance-IoU


@dataclass
class _Track:
    """Last box (4,) of a person, its time, and the velocity (4,) of its sides per second."""

    person_id: int
    box: Tensor
    time_s: float
    velocity: Tensor

    def predicted_boxes(self, time_s: float) -> Tensor:
        """(2, 4): moved on at constant velocity, and unmoved."""
        return torch.stack([self.box + self.velocity * (time_s - self.time_s), self.box])

    def update(self, box: Tensor, time_s: float) -> None:
        """Only the centre has a velocity: sizes change little and are noisy."""
        passed_s = time_s - self.time_s
        step = (_centre(box) - _centre(self.box)).repeat(2) / passed_s
        self.velocity = torch.lerp(self.velocity, step, 1.0 - 0.5 ** (passed_s / VELOCITY_HALF_LIFE_S))
        self.box, self.time_s = box, time_s


def tolerated_gap(times_s: Sequence[float] | NDArray[np.float64], max_gap_s: float = MAX_GAP_S) -> float:
    """Longest gap in a track, in seconds: `max_gap_s`, or 1.5 times the median interval of the ascending times.

    Consecutive keyframes are thus never a gap, however far apart they are.
    """
    return max(max_gap_s, 1.5 * float(np.median(np.diff(times_s)))) if len(times_s) > 1 else max_gap_s


def keyframe_interval(times_s: NDArray[np.float64]) -> float:
    """The usual distance in seconds between two keyframes, of sorted times that may lack keyframes without persons.

    Missing keyframes only make distances longer, so this is their 10th percentile; 1 s for a single keyframe.
    """
    distances = np.sort(np.diff(times_s))
    return float(distances[len(distances) // 10]) if len(distances) else _DEFAULT_INTERVAL_S


def link_persons(
    times_s: Sequence[float],
    keyframes: Sequence[PersonBoxes],
    *,
    max_gap_s: float = MAX_GAP_S,
    min_start_score: float = 0.5,
) -> list[PersonBoxes]:
    """Returns the same boxes with person ids, numbered from 0 in order of appearance.

    times_s: ascending times of one video's keyframes.
    max_gap_s: an id survives keyframes without its person for the `tolerated_gap`.
    min_start_score: boxes below it continue tracks but start none; without a track their id is -1.
    """
    assert len(times_s) == len(keyframes)
    max_gap_s = tolerated_gap(times_s, max_gap_s)
    if any(later <= earlier for earlier, later in pairwise(times_s)):
        raise ValueError("keyframes must be linked in ascending order of distinct times; sort them by time")
    linker = PersonLinker(min_start_score=min_start_score)
    return [linker.link(time_s, boxes, max_gap_s=max_gap_s) for time_s, boxes in zip(times_s, keyframes, strict=True)]


class PersonLinker:
    """Links one keyframe at a time, for live video; otherwise as `link_persons`."""

    def __init__(self, *, min_start_score: float = 0.5) -> None:
        self.min_start_score = min_start_score
        self._tracks: list[_Track] = []
        self._started = 0

    def link(self, time_s: float, persons: PersonBoxes, *, max_gap_s: float = MAX_GAP_S) -> PersonBoxes:
        """Returns the next keyframe's persons with ids. Drops tracks whose last box is over `max_gap_s` old."""
        self._tracks = [track for track in self._tracks if time_s - track.time_s <= max_gap_s]
        person_ids = torch.full((len(persons),), -1)
        confident = persons.scores >= self.min_start_score
        # Confident boxes are assigned first: a low-scoring box, perhaps half a person, must not take their track.
        for candidates in (confident, ~confident):
            unmatched = [track for track in self._tracks if track.time_s < time_s]
            indices = torch.nonzero(candidates).flatten().tolist()
            for row, column in _assignment(unmatched, persons.boxes[indices], time_s):
                unmatched[row].update(persons.boxes[indices[column]], time_s)
                person_ids[indices[column]] = unmatched[row].person_id
        for index in torch.nonzero((person_ids < 0) & confident).flatten().tolist():
            self._tracks.append(_Track(self._started, persons.boxes[index], time_s, torch.zeros(4)))
            person_ids[index] = self._started
            self._started += 1
        return PersonBoxes(persons.boxes, persons.scores, person_ids)


def _assignment(tracks: Sequence[_Track], boxes: Tensor, time_s: float) -> list[tuple[int, int]]:
    """(track, box) pairs with the largest total similarity."""
    if not tracks or not len(boxes):
        return []
    similarity = _similarity(torch.cat([track.predicted_boxes(time_s) for track in tracks]), boxes)
    pairs = zip(*linear_sum_assignment(similarity, maximize=True), strict=True)
    return [(int(row), int(column)) for row, column in pairs if similarity[row, column] >= MIN_SIMILARITY]


def _similarity(predicted: Tensor, boxes: Tensor) -> NDArray[np.float64]:
    """(tracks, boxes): distance-IoU of the better prediction.

    All infeasible pairs get the same value, so that they do not distort the assignment of the others.
    """
    similarity = distance_box_iou(predicted, boxes).unflatten(0, (-1, 2)).amax(dim=1).double()
    return torch.where(similarity >= MIN_SIMILARITY, similarity, INFEASIBLE).numpy()


def _centre(box: Tensor) -> Tensor:
    return (box[:2] + box[2:]) / 2
