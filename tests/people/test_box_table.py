from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ava_eval import read_boxes
from avdet.people.box_table import COLUMNS, box_table, csv_lines, people_of_rows, refuse_pixels
from tests.people.scenes import people

HERE = [people((0.1, 0.2, 1 / 3, 0.9), scores=[0.987654321], ids=[3]), people(), people((0, 0, 1, 1), (0.5, 0, 1, 1))]


def test_written_and_read_back_equal(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(csv_lines(box_table("clip", [902.0, 903.0, 904.25], HERE)))
    rows = read_boxes(tmp_path / "boxes.csv")
    assert rows["timestamp"].tolist() == [902.0, 904.25, 904.25]
    assert rows["person_id"].tolist() == [3, -1, -1]
    back = people_of_rows(rows[:1])
    assert torch.equal(back.boxes, HERE[0].boxes) and torch.equal(back.scores, HERE[0].scores)


def test_nobody_at_all_is_a_table_without_rows() -> None:
    empty = box_table("clip", [1.0], [people()])
    assert empty.columns.tolist() == COLUMNS and empty.empty
    assert csv_lines(empty) == ""


def test_a_box_in_pixels_is_refused_with_its_row() -> None:
    table = box_table("clip", [1.5, 2.0], [people((0, -0.1, 1.2, 1)), people((10, 20, 100.5, 200))])
    refuse_pixels(table[:1], "a.csv")
    with pytest.raises(ValueError, match=r"a.csv has the row clip,2,10,20,100.5,200, a box in pixels; .* divide x"):
        refuse_pixels(table, "a.csv")
