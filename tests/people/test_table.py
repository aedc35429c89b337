from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from ava_eval import read_boxes
from avdet.people.table import COLUMNS, box_table, linked_table, people_of_rows, write_boxes
from tests.people.scenes import people

HERE = [people((0.1, 0.2, 1 / 3, 0.9), scores=[0.987654321], ids=[3]), people(), people((0, 0, 1, 1), (0.5, 0, 1, 1))]


def test_written_and_read_back_equal(tmp_path: Path) -> None:
    write_boxes(box_table("clip", [902.0, 903.0, 904.25], HERE), tmp_path / "new" / "boxes.csv")
    rows = read_boxes(tmp_path / "new" / "boxes.csv")
    assert rows["timestamp"].tolist() == [902.0, 904.25, 904.25]
    assert rows["person_id"].tolist() == [3, -1, -1]
    back = people_of_rows(rows[:1])
    assert torch.equal(back.boxes, HERE[0].boxes) and torch.equal(back.scores, HERE[0].scores)


def test_nobody_at_all_is_a_table_without_rows(tmp_path: Path) -> None:
    empty = box_table("clip", [1.0], [people()])
    assert empty.columns.tolist() == COLUMNS and empty.empty
    write_boxes(empty, tmp_path / "boxes.csv")
    assert (tmp_path / "boxes.csv").read_text() == ""


def test_links_video_by_video_in_any_order() -> None:
    left, right = (0.1, 0.1, 0.3, 0.9), (0.6, 0.1, 0.8, 0.9)
    rows = pd.concat([
        box_table("b", [2.0], [people(left)]),
        box_table("a", [2.0, 1.0], [people(right, left), people(left, right)]),
        box_table("b", [1.0], [people(left)]),
    ])  # fmt: skip
    linked = linked_table(rows)
    assert linked["video"].tolist() == ["a"] * 4 + ["b"] * 2
    assert linked["timestamp"].tolist() == [1.0, 1.0, 2.0, 2.0, 1.0, 2.0]
    assert linked["person_id"].tolist() == [0, 1, 1, 0, 0, 0]
    assert linked_table(rows[:0]).empty
