"""A table that is not whole is not scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avdet.datasets.class_names import ClassNames
from avdet.datasets.segments import Segments
from avdet.engine.predictions_csv import align, read_predictions, write_predictions

CLASSES = {"action": ClassNames((0, 1), ("eat", "wave"))}
HEADER = "id,action:eat,action:wave\n"


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    scores = np.array([[0.25, 0.75], [1e-9, 1.0]])
    write_predictions(tmp_path / "p.csv", ["NA", "007"], {"action": scores}, CLASSES)
    table = read_predictions(tmp_path / "p.csv", CLASSES)["action"]
    assert table.index.tolist() == ["NA", "007"] and table.to_numpy().tolist() == scores.tolist()


def test_clips_without_a_prediction_are_left_out() -> None:
    ids = np.array(["a", "b", "c"], object)
    clips = Segments(ids, ids, np.zeros(3), np.ones(3), {"action": np.array([0, 1, 0])})
    table = pd.DataFrame([[1.0, 0.0], [0.5, 0.5]], index=["c", "a"])
    left, scores = align(clips, {"action": table})
    assert left.ids.tolist() == ["a", "c"] and scores["action"].tolist() == [[0.5, 0.5], [1, 0]]
    with pytest.raises(ValueError, match="have no clip in common"):
        align(clips, {"verb": table, "noun": table.rename(index={"c": "b"}).loc[["b"]]})


def test_columns_count_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("action:wave,id,action:eat\n1,a,0\n")
    assert read_predictions(tmp_path / "p.csv", CLASSES)["action"].to_numpy().tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "a,0.5,0.5\nb,0.5", r"missing or invalid scores for b \(1 such rows\)"),
        (HEADER + "a,nan,nan\n", "missing or invalid scores for a"),
        (HEADER + "a,0.5,abc\n", "missing or invalid scores for a"),
        (HEADER + "a,0.5,0.5\na,0.1,0.9\n", "has a twice"),
        (HEADER, "has no rows"),
        ("", "is empty"),
        (HEADER.strip() + ",note\na,1,0,0\n", "4 columns, but the config's classes make 3; 'note' is not one of them"),
        ("id,action:eat\na,1\n", "'action:wave' is missing"),
        (HEADER + "a,1,2,3\n", "more cells than its header"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_predictions(path, CLASSES)
