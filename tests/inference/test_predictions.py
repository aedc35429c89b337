"""PersonPredictions and their table rows, with numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from avdet.datasets.class_names import ClassNames
from avdet.inference.predictions import PersonPredictions
from avdet.structures import PersonBoxes

CLASSES = ClassNames((3, 7), ("sit", "talk"))
LEFT, RIGHT = [0.0, 0.0, 0.4, 1.0], [0.5, 0.0, 0.9, 1.0]


def predictions() -> PersonPredictions:
    """Two persons at 1 s, of which the second has a low box score and is not scored; one at 2 s; none at 3 s."""
    found = [
        PersonBoxes.from_boxes(torch.tensor([LEFT, RIGHT]), torch.tensor([0.9, 0.6])),
        PersonBoxes.from_boxes(torch.tensor([LEFT]), torch.tensor([0.95])),
        PersonBoxes.from_boxes(torch.zeros(0, 4)),
    ]
    partly_scored = PersonPredictions.unscored([1.0, 2.0, 3.0], found, 2)
    partly_scored.scores[[0, 2]] = [[0.25, 0.5], [0.75, 0.1]]
    return partly_scored


def test_all_persons_have_boxes_and_only_scored_ones_have_actions() -> None:
    linked = predictions().linked()
    boxes, actions = linked.box_rows("v"), linked.action_rows("v", CLASSES)
    assert boxes["person_id"].tolist() == [0, 1, 0]
    assert boxes["timestamp"].tolist() == [1.0, 1.0, 2.0]
    assert actions["score"].tolist() == pytest.approx([0.25, 0.5, 0.75, 0.1])
    assert actions["action_id"].tolist() == [3, 7, 3, 7]
    assert actions["action"].tolist() == ["sit", "talk", "sit", "talk"]
    assert actions["person_id"].tolist() == [0, 0, 0, 0]


def test_each_persons_best_action_is_kept() -> None:
    rows = predictions().action_rows("v", CLASSES, min_score=0.6)
    assert list(zip(rows["timestamp"], rows["action"], strict=True)) == [(1.0, "talk"), (2.0, "sit")]


def test_scores_are_smoothed_along_the_track() -> None:
    smooth = predictions().linked().smoothed(2.0)
    assert smooth.scores[0].tolist() == smooth.scores[2].tolist() == pytest.approx([0.5, 0.3])
    assert math.isnan(smooth.scores[1, 0])


def test_known_ids_stay() -> None:
    known = replace(predictions(), person_ids=np.array([5, 9, 5]))
    assert known.linked().person_ids.tolist() == [5, 9, 5]


def test_new_ids_are_numbered_after_known_ones() -> None:
    """A person without an id is not linked to one with an id, even at the same place."""
    known = replace(predictions(), person_ids=np.array([5, 9, -1]))
    assert known.linked().person_ids.tolist() == [5, 9, 10]


def test_every_scored_person_gets_an_id() -> None:
    low = replace(predictions(), box_scores=np.array([0.2, 0.1, 0.3], np.float32))
    assert low.linked().person_ids.tolist() == [0, -1, 0]


def test_bytes_read_back_equal() -> None:
    again = PersonPredictions.from_bytes(predictions().to_bytes())
    for name, column in vars(predictions()).items():
        np.testing.assert_array_equal(getattr(again, name), column)


def test_chunks_without_features_get_zeros() -> None:
    featured = replace(predictions(), features=np.ones((3, 4), np.float32))
    joined = PersonPredictions.concatenate([predictions(), featured])
    assert joined.features.sum(axis=1).tolist() == [0, 0, 0, 4, 4, 4]
    rows = featured.action_rows("v", CLASSES)
    assert [vector.tolist() for vector in rows["features"]] == [[1.0] * 4] * 4


def test_no_persons_give_empty_tables_with_columns() -> None:
    no_boxes = PersonBoxes.from_boxes(torch.zeros(0, 4))
    empty = PersonPredictions.unscored([1.0], [no_boxes], 2).linked().smoothed(1.0)
    assert list(empty.action_rows("v", CLASSES).columns)[:2] == ["video", "timestamp"]
    assert len(empty.action_rows("v", CLASSES)) == len(empty.box_rows("v")) == 0
