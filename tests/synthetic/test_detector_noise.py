import numpy as np
import pytest

from avdet.synthetic.detector_noise import Box, detected_boxes
from avdet.synthetic.rng import Dice

PEOPLE: list[list[Box]] = []
_dice = Dice("people")
for _ in range(800):
    _x, _y = _dice.uniform(0.0, 0.6), _dice.uniform(0.0, 0.3)
    PEOPLE.append([(_x, _y, _x + _dice.uniform(0.2, 0.35), _y + _dice.uniform(0.4, 0.65))] * _dice.integer(1, 2))


def iou(one: Box, other: Box) -> float:
    wide = max(min(one[2], other[2]) - max(one[0], other[0]), 0.0)
    tall = max(min(one[3], other[3]) - max(one[1], other[1]), 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide * tall / (sum(areas) - wide * tall)


@pytest.fixture(scope="module")
def found() -> list[list[tuple[Box, float]]]:
    return [detected_boxes(people[:1], str(index), 0.03) for index, people in enumerate(PEOPLE)]


def test_at_a_score_of_08_it_finds_and_errs_as_a_detector_does(found: list[list[tuple[Box, float]]]) -> None:
    sure = [[box for box, score in boxes if score >= 0.8] for boxes in found]
    hits = sum(any(iou(box, people[0]) > 0.5 for box in boxes) for boxes, people in zip(sure, PEOPLE, strict=True))
    assert hits / len(PEOPLE) == pytest.approx(0.93, abs=0.02)
    assert hits / sum(map(len, sure)) == pytest.approx(0.93, abs=0.03)


def test_hits_are_near_but_not_the_truth(found: list[list[tuple[Box, float]]]) -> None:
    overlaps = [
        max(iou(box, people[0]) for box, _ in boxes) for boxes, people in zip(found, PEOPLE, strict=True) if boxes
    ]
    hits = np.array([overlap for overlap in overlaps if overlap > 0.5])
    assert np.mean(hits > 0.75) > 0.95 and hits.max() < 0.9999 and np.median(hits) < 0.95


def test_boxes_stay_in_the_frame_and_come_surest_first(found: list[list[tuple[Box, float]]]) -> None:
    for boxes in found:
        scores = [score for _, score in boxes]
        assert scores == sorted(scores, reverse=True) and all(0.0 < score <= 1.0 for score in scores)
        assert all(0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0 for (x1, y1, x2, y2), _ in boxes)


def test_nobody_gives_no_box() -> None:
    assert detected_boxes([], "empty", 0.03) == []


def test_every_person_and_keyframe_has_luck_of_its_own() -> None:
    twice = detected_boxes(PEOPLE[0] * 2, "one", 0.03)
    assert len({box for box, _ in twice}) == len(twice)
    assert detected_boxes(PEOPLE[0], "one", 0.03) != detected_boxes(PEOPLE[0], "two", 0.03)
