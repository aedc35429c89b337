from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import ava_eval
from avdet.datasets.class_names import ClassNames
from avdet.inference.output_tables import (
    OutputSettings,
    join_csvs,
    table_file,
    write_errors,
    write_label_map,
    write_tables,
    written_files,
)
from tests.inference.test_predictions import CLASSES, predictions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tables of videos a and b, of which b has no persons."""
    linked = predictions().linked()
    write_tables(linked, "a", CLASSES, tmp_path, OutputSettings(), "csv")
    write_tables(linked.select(slice(0, 0)), "b", CLASSES, tmp_path, OutputSettings(), "csv")
    return tmp_path


def test_csvs_are_written_by_video_and_joined(folder: Path) -> None:
    output = folder / "out"
    join_csvs(folder, ["b", "a"], output)
    detections = ava_eval.read_detections(output / "detections.csv")
    assert detections["score"].tolist() == pytest.approx([0.25, 0.5, 0.75, 0.1])
    assert ava_eval.read_boxes(output / "boxes.csv")["score"].tolist() == pytest.approx([0.9, 0.6, 0.95])
    tubes = pd.read_csv(output / "tubes.csv")
    assert tubes[["video", "action", "start_s", "end_s"]].to_numpy().tolist() == [
        ["a", "talk", 1.0, 1.0],
        ["a", "sit", 2.0, 2.0],
    ]
    assert set(output.iterdir()) == set(written_files(output, "csv")[:3])


def test_errors_and_label_map(tmp_path: Path) -> None:
    write_errors([("a", Path("bad\udcff.mp4"), "no, really")], tmp_path, "csv")
    assert pd.read_csv(tmp_path / "errors.csv").to_numpy().tolist() == [["a", "bad?.mp4", "no, really"]]
    write_label_map(ClassNames((3, 7), ("sit", "talk")), tmp_path)
    assert (tmp_path / "label_map.txt").read_text() == "3: sit\n7: talk\n"


def test_parquet_has_a_folder_per_table(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    write_tables(predictions().linked(), "a", CLASSES, tmp_path, OutputSettings(), "parquet")
    detections = pd.read_parquet(table_file(tmp_path, "a", "detections", "parquet"))
    assert detections["score"].tolist() == pytest.approx([0.25, 0.5, 0.75, 0.1])
    assert pd.read_parquet(tmp_path / "tubes")["action"].tolist() == ["talk", "sit"]
