"""The detections table: order of rows, values after a round trip, no persons."""

from pathlib import Path

import pytest
import torch

import ava_eval
from avdet.detection_table import COLUMNS, detection_table, write_detections
from avdet.structures import Detections, PersonBoxes

TWO_PERSONS = PersonBoxes.from_boxes(
    torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 1.0, 1.0]]), person_ids=torch.tensor([7, 8])
)
DETECTIONS = [
    Detections("b", 2.5, TWO_PERSONS, torch.tensor([[0.123456789, 0.5], [0.25, 1e-6]])),
    Detections("a", 9.0, TWO_PERSONS.select(torch.tensor([1])), torch.tensor([[0.75, 0.0]])),
    Detections("a", 3.0, TWO_PERSONS.select(torch.tensor([], dtype=torch.int64)), torch.zeros(0, 2)),
]


def test_one_row_per_person_and_class_sorted_by_video_and_time() -> None:
    table = detection_table(DETECTIONS, (11, 80))
    assert list(table.columns) == COLUMNS
    assert COLUMNS == ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]
    assert list(table["video"]) == ["a", "a", "b", "b", "b", "b"]
    assert list(table["action_id"]) == [11, 80] * 3
    assert list(table["person_id"]) == [8, 8, 7, 7, 8, 8]
    assert list(table["score"]) == pytest.approx([0.75, 0, 0.123456789, 0.5, 0.25, 1e-6])


def test_file_reads_back_equal(tmp_path: Path) -> None:
    table = detection_table(DETECTIONS, (11, 80))
    write_detections(table, tmp_path / "new" / "detections.csv")
    read = ava_eval.read_detections(tmp_path / "new" / "detections.csv")
    assert list(read["timestamp"]) == list(table["timestamp"])
    for column in ("x1", "y1", "x2", "y2", "score"):
        assert read[column].to_numpy("float32").tolist() == table[column].to_numpy("float32").tolist()


def test_unknown_person_ids_are_left_out_as_the_published_scripts_require(tmp_path: Path) -> None:
    table = detection_table(DETECTIONS, (11, 80))
    for ids, columns in ((table["person_id"], 9), (-1, 8)):
        write_detections(table.assign(person_id=ids), tmp_path / "detections.csv")
        assert {line.count(",") + 1 for line in (tmp_path / "detections.csv").read_text().splitlines()} == {columns}


def test_no_persons() -> None:
    assert detection_table([], (1, 2)).empty
    assert detection_table(DETECTIONS[2:], (1, 2)).empty
