"""Columns of people to rows of tables, by numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from avdet.datasets.keyframes import ClassNames
from avdet.inference.predictions import PersonPredictions
from avdet.structures import PersonBoxes

CLASSES = ClassNames((3, 7), ("sit", "talk"))
LEFT, RIGHT = [0.0, 0.0, 0.4, 1.0], [0.5, 0.0, 0.9, 1.0]


def people() -> PersonPredictions:
    """Two at 1 s, of whom the second is unsure and not judged; one at 2 s; nobody at 3 s."""
    found = [
        PersonBoxes.from_boxes(torch.tensor([LEFT, RIGHT]), torch.tensor([0.9, 0.6])),
        PersonBoxes.from_boxes(torch.tensor([LEFT]), torch.tensor([0.95])),
        PersonBoxes.from_boxes(torch.zeros(0, 4)),
    ]
    judged = PersonPredictions.of_keyframes([1.0, 2.0, 3.0], found, 2)
    judged.scores[[0, 2]] = [[0.25, 0.5], [0.75, 0.1]]
    return judged


def test_everybody_has_a_box_and_only_the_judged_have_actions() -> None:
    linked = people().linked()
    boxes, actions = linked.box_rows("v"), linked.action_rows("v", CLASSES)
    assert boxes["person_id"].tolist() == [0, 1, 0]
    assert boxes["timestamp"].tolist() == [1.0, 1.0, 2.0]
    assert actions["score"].tolist() == pytest.approx([0.25, 0.5, 0.75, 0.1])
    assert actions["action_id"].tolist() == [3, 7, 3, 7]
    assert actions["action"].tolist() == ["sit", "talk", "sit", "talk"]
    assert actions["person_id"].tolist() == [0, 0, 0, 0]


def test_a_best_action_is_kept_however_low() -> None:
    rows = people().action_rows("v", CLASSES, min_score=0.6)
    assert list(zip(rows["timestamp"], rows["action"], strict=True)) == [(1.0, "talk"), (2.0, "sit")]


def test_smoothing_is_the_mean_along_the_track() -> None:
    smooth = people().linked().smoothed(2.0)
    assert smooth.scores[0].tolist() == smooth.scores[2].tolist() == pytest.approx([0.5, 0.3])
    assert math.isnan(smooth.scores[1, 0])


def test_ids_that_are_known_stay() -> None:
    known = replace(people(), person_ids=np.array([5, 9, 5]))
    assert known.linked().person_ids.tolist() == [5, 9, 5]


def test_unknown_people_among_known_ones_get_numbers_behind_theirs() -> None:
    """Neither is in the place of the other: the left one at 1 s is known, that at 2 s is not, and is somebody else."""
    known = replace(people(), person_ids=np.array([5, 9, -1]))
    assert known.linked().person_ids.tolist() == [5, 9, 10]


def test_whoever_is_judged_gets_an_id_however_unsure() -> None:
    unsure = replace(people(), box_scores=np.array([0.2, 0.1, 0.3], np.float32))
    assert unsure.linked().person_ids.tolist() == [0, -1, 0]


def test_bytes_read_back_equal() -> None:
    again = PersonPredictions.from_bytes(people().to_bytes())
    for name, column in vars(people()).items():
        np.testing.assert_array_equal(getattr(again, name), column)


def test_parts_without_features_get_zeros() -> None:
    featured = replace(people(), features=np.ones((3, 4), np.float32))
    together = PersonPredictions.concatenate([people(), featured])
    assert together.features.sum(axis=1).tolist() == [0, 0, 0, 4, 4, 4]
    rows = featured.action_rows("v", CLASSES)
    assert [vector.tolist() for vector in rows["features"]] == [[1.0] * 4] * 4


def test_nobody_gives_empty_tables_with_their_columns() -> None:
    nobody = (
        PersonPredictions.of_keyframes([1.0], [PersonBoxes.from_boxes(torch.zeros(0, 4))], 2).linked().smoothed(1.0)
    )
    assert list(nobody.action_rows("v", CLASSES).columns)[:2] == ["video", "timestamp"]
    assert len(nobody.action_rows("v", CLASSES)) == len(nobody.box_rows("v")) == 0
