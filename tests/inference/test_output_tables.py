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
    events = pd.read_csv(output / "events.csv")
    assert events[["video", "person_id", "action", "start_s", "end_s", "peak_score"]].to_numpy().tolist() == [
        ["a", 0, "talk", 0.5, 1.5, 0.5],
        ["a", 0, "sit", 1.5, 2.5, 0.75],
    ]
    assert set(output.iterdir()) == set(written_files(output, "csv")[:4])
    assert (output / "boxes.csv").read_text().startswith("video,timestamp,x1,y1,x2,y2,score,person_id\na,1,")
    first = (output / "detections.csv").read_text().splitlines()[:2]
    assert first[0] == "video,timestamp,x1,y1,x2,y2,action_id,score,person_id,action"
    assert first[1].startswith("a,1,") and first[1].endswith(",3,0.25,0,sit")
    assert ava_eval.read_action_names(output / "detections.csv") == {3: "sit", 7: "talk"}


def test_without_header_the_tables_are_those_of_ava(tmp_path: Path) -> None:
    """The published scripts require 7 or 8 columns and whole seconds as whole numbers."""
    for name in ("a", "b"):
        write_tables(predictions().linked(), name, CLASSES, tmp_path, OutputSettings(header=False), "csv")
    join_csvs(tmp_path, ["a", "b"], tmp_path / "out", header=False)
    rows = [line.split(",") for line in (tmp_path / "out/detections.csv").read_text().splitlines()]
    assert [(row[0], int(row[1]), len(row)) for row in rows] == [
        (name, second, 8) for name in "ab" for second in (1, 1, 2, 2)
    ]
    assert len((tmp_path / "out/boxes.csv").read_text().splitlines()) == 6
    assert (tmp_path / "out/events.csv").read_text().startswith("video,person_id")


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
