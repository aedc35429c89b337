from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdet.datasets.charades import read_charades, read_charades_classes
from avdet.datasets.metrics import average_precision, class_accuracy, precision_and_recall, top_k
from tests.shared import SHARED, needs_shared

SCORES = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
LABELS = np.array([0, 2, 1, 2])


def test_top_k_by_hand() -> None:
    """First classes: 0, 1, 0 (a tie: the lower index), 2; second classes: 1, 2, 1, 1."""
    assert top_k(SCORES, LABELS, 1) == 0.5
    assert top_k(SCORES, LABELS, 2) == 1.0
    assert top_k(SCORES, LABELS, 5) == 1.0  # of three classes
    assert top_k(SCORES[:0], LABELS[:0], 1) is None
    assert top_k(np.ones((2, 1)), np.array([0, 0]), 5) == 1.0


def test_class_accuracy_by_hand() -> None:
    """Class 0: 1 of 1; class 1: 0 of 1; class 2: 1 of 2."""
    assert class_accuracy(SCORES, LABELS) == pytest.approx(0.5)
    assert class_accuracy(SCORES[:0], LABELS[:0]) is None


def test_precision_and_recall_by_hand() -> None:
    """Predictions: 0, 1, 0, 2. Class 0: precision 1/2, recall 1/1; class 2: 1/1, 1/2; class 1: 0/1, 0/1."""
    assert precision_and_recall(SCORES, LABELS, [0, 2]) == (0.75, 0.75)
    assert precision_and_recall(SCORES, LABELS, [0, 1, 2, 7]) == (0.5, 0.5)
    assert precision_and_recall(SCORES, LABELS, [7]) == (None, None)


def test_charades_ap_by_hand() -> None:
    """Class 0: positives at ranks 1 and 3: (1/1 + 2/3) / 2. The last video has no class, so it ranks last."""
    labels = np.array([[1, 0], [0, 1], [1, 0], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [1.0, 1.0]])
    assert average_precision(scores, labels) == pytest.approx([5 / 6, 1 / 2])
    assert np.isnan(average_precision(scores[:1], labels[:1])[1])


def ap_by_counting(scores: list[float], labels: list[int]) -> float:
    """A second route: for each positive, the precision among the clips ranked no lower."""
    ranking = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    precisions = [
        sum(labels[j] for j in ranking[: rank + 1]) / (rank + 1) for rank, i in enumerate(ranking) if labels[i]
    ]  # fmt: skip
    return sum(precisions) / len(precisions)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=12))
def test_charades_ap_by_counting(videos: list[tuple[int, bool]]) -> None:
    scores, labels = [float(s) for s, _ in videos], [int(y) for _, y in videos]
    if not any(labels):
        return
    two_classes = np.array([labels, [1] * len(labels)]).T  # every video has the second class
    found = average_precision(np.array([scores, scores]).T, two_classes)
    assert found[0] == pytest.approx(ap_by_counting(scores, labels)) and found[1] == 1.0


@needs_shared
def test_charades_ap_on_the_official_test_set() -> None:
    """Random scores on the official labels; class c059 by counting from the CSV itself."""
    path = SHARED / "data/annotations/charades/Charades_v1_test.csv"
    segments, _ = read_charades(path, read_charades_classes(path.with_name("Charades_v1_classes.txt")))
    scores = np.random.default_rng(0).random((len(segments), 157))
    found = average_precision(scores, segments.labels["action"])
    assert not np.isnan(found).any() and 0.02 < found.mean() < 0.1
    assert found[59] == pytest.approx(ap_by_counting(*scores_and_labels(path, scores[:, 59], "c059")))


def scores_and_labels(path: Path, scores: np.ndarray, code: str) -> tuple[list[float], list[int]]:
    """Scores and labels of one class; a video without actions gets the lowest score."""
    with path.open(encoding="utf-8") as file:
        actions = [row["actions"] for row in csv.DictReader(file)]
    pairs = [(float(score) if text else -1.0, int(code in text)) for score, text in zip(scores, actions, strict=True)]
    return [score for score, _ in pairs], [label for _, label in pairs]
