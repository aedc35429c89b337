from __future__ import annotations

import numpy as np
import pytest

from avdet.datasets.class_names import ClassNames
from avdet.inference.class_scores import ClassScores

CLASSES = {"verb": ClassNames.numbered(["take", "put"]), "noun": ClassNames((7, 8, 9), ("cup", "pan", "lid"))}


def scores() -> ClassScores:
    of_set = {"verb": np.array([[0.25, 0.75], [0.5, 0.5]]), "noun": np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])}
    return ClassScores("clip", np.array([0.0, 2.0]), np.array([1.0, 3.0]), of_set, CLASSES)


def test_the_highest_scores_of_each_window_and_set() -> None:
    table = scores().top(2)
    assert table["class"].tolist() == ["put", "take", "lid", "pan", "take", "put", "cup", "pan"]
    assert table["class_id"].tolist() == [1, 0, 9, 8, 0, 1, 7, 8]
    assert table["score"].tolist() == [0.75, 0.25, 0.7, 0.2, 0.5, 0.5, 0.6, 0.3]
    assert table["rank"].tolist() == [1, 2] * 4 and table["start_s"].tolist() == [0.0] * 4 + [2.0] * 4
    assert len(scores().top(99)) == 2 * (2 + 3)


def test_bytes_read_back_equal() -> None:
    read = ClassScores.from_bytes(scores().to_bytes(), "clip", CLASSES)
    assert read.top(9).equals(scores().top(9))


def test_scores_that_do_not_fit_are_a_mistake_of_the_code() -> None:
    whole = scores()
    for start_s, nouns in ((np.array([0.0]), whole.scores["noun"]), (whole.start_s, np.full((2, 3), np.nan))):
        with pytest.raises(AssertionError):
            ClassScores("clip", start_s, whole.end_s, {**whole.scores, "noun": nouns}, CLASSES)
