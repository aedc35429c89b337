from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ava_eval import read_boxes, read_ground_truth
from avdet.people.box_table_detector import TableBoxes, boxes_of_ground_truth
from avdet.people.person_detector import Picture

UNSEEN = np.zeros((1, 1, 3), np.uint8)


def test_a_table_answers_by_video_and_time(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("v,0902,0.1,0.1,0.2,0.2,0.3,4\nv,902,0.5,0.1,0.9,0.9,0.8,5\nw,902,0,0,1,1,0.9,6\n")
    find = TableBoxes(read_boxes(tmp_path / "b.csv"))
    there, later, other = find(
        [Picture("v", 902.0000001, UNSEEN), Picture("v", 903.0, UNSEEN), Picture("x", 902, UNSEEN)]
    )
    assert there.person_ids.tolist() == [5, 4]
    assert there.scores.tolist() == pytest.approx([0.8, 0.3])
    assert len(later) == len(other) == 0


def test_every_time_of_a_table_finds_its_people(tmp_path: Path) -> None:
    """Halves of a millisecond are rounded alike on both sides."""
    times = [number / 10_000 for number in range(685, 3000, 10)]
    (tmp_path / "b.csv").write_text("".join(f"v,{time_s:g},0,0,1,1,0.9\n" for time_s in times))
    find = TableBoxes(read_boxes(tmp_path / "b.csv"))
    assert all(map(len, find([Picture("v", time_s, UNSEEN) for time_s in times])))


def test_labelled_people_stand_there_once(tmp_path: Path) -> None:
    (tmp_path / "gt.csv").write_text(
        "v,1,0.1,0.1,0.2,0.2,12,0\nv,1,0.1,0.1,0.2,0.2,80,0\nv,1,0.5,0.1,0.9,0.9,11,1\nv,2\n"
    )
    boxes = boxes_of_ground_truth(read_ground_truth(tmp_path / "gt.csv"))
    assert boxes["person_id"].tolist() == [0, 1]
    assert boxes["score"].tolist() == [1.0, 1.0]
    assert len(TableBoxes(boxes)([Picture("v", 1.0, UNSEEN)])[0]) == 2
