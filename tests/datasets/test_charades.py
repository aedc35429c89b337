from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.charades import read_charades, read_charades_classes
from avdet.datasets.class_names import ClassNames
from tests.datasets.text_file import write_file

HEADER = "id,actions,length\n"
ONE_CLASS = ClassNames((0,), ("hold",))


def test_actions_have_intervals(tmp_path: Path) -> None:
    classes = read_charades_classes(write_file(tmp_path, "classes.txt", "c000 Holding\nc001 Putting\nc002 Taking\n"))
    rows = "A,c000 1.0 2.0;c002 5.0 9.5,12\nB,,7\nC,c001 3.0 2.0,4\n"
    segments, faults = read_charades(write_file(tmp_path, "test.csv", HEADER + rows), classes)
    assert segments.labels["action"].tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert faults == ["1 of 3 actions end before they start (first: in C); their intervals are skipped"]
    spans_s = ((0, 1), (1.5, 6), (9.4, 20))
    labels = [segments.labels_at(0, *span)["action"].tolist() for span in spans_s]
    assert labels == [[0, 0, 0], [1, 0, 1], [0, 0, 1]]
    without_first = segments.select(np.array([False, True, True]))
    assert without_first.labels_at(1, 0, 9)["action"].tolist() == [0, 0, 0]


def test_known_faults_of_the_training_file(tmp_path: Path) -> None:
    """Actions that end before they start, an empty action and a row without an id."""
    rows = "LEOL6,c000 18.00 10.00;c000 0.0 4.0; ,8.96\n,,\n,c000 1 2,9\n"
    segments, faults = read_charades(write_file(tmp_path, "train.csv", HEADER + rows), ONE_CLASS)
    assert segments.ids.tolist() == ["LEOL6", ""] and segments.labels["action"].tolist() == [[1], [1]]
    assert faults == ["1 of 3 actions end before they start (first: in LEOL6); their intervals are skipped"]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("c000", "is not an action"),
        ("c009 1 2", "c009 is not one of the 1"),
        ("c000 nan 2", "is not an action"),
        ("c000 1000 2000", "line 2: 'c000 1000 2000' starts after the end of its video, which lasts 9.5 s; .* seconds"),
    ],
)
def test_invalid_actions_are_refused(tmp_path: Path, actions: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_charades(write_file(tmp_path, "test.csv", f"{HEADER}A,{actions},9.5\n"), ONE_CLASS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c000 Hold\nc000 Put\n", "lists c000 twice"),
        ("c000 Hold\nc001 Hold\n", "names two classes 'Hold'"),
        ("\n", "lists no class"),
    ],
)
def test_invalid_class_lists_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_charades_classes(write_file(tmp_path, "classes.txt", text))
