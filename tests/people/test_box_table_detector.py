from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ava_eval import read_boxes, read_ground_truth
from avdet.people.box_table_detector import BoxTableDetector, ground_truth_boxes, require_distinct_persons
from avdet.people.build_detector import build_person_detector
from avdet.people.person_detector import KeyframeImage


def image(video: str, time_s: float) -> KeyframeImage:
    return KeyframeImage.without_frame(video, time_s)


def test_boxes_are_looked_up_by_video_and_time(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("v,0902,0.1,0.1,0.2,0.2,0.3,4\nv,902,0.5,0.1,0.9,0.9,0.8,5\nw,902,0,0,1,1,0.9,6\n")
    detector = build_person_detector("csv", weights=tmp_path / "b.csv")
    persons, later, other = detector([image("v", 902.0000001), image("v", 903.0), image("x", 902)])
    assert persons.person_ids.tolist() == [5, 4]
    assert persons.scores.tolist() == pytest.approx([0.8, 0.3])
    assert len(later) == len(other) == 0


def test_a_table_keeps_its_order_and_lists_its_videos_and_times(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("w,7.5,0,0,1,1,0.9,6\nv,902,0.1,0.1,0.2,0.2,0.3,4\nv,902,0.5,0.1,0.9,0.9,0.8,5\n")
    detector = BoxTableDetector(read_boxes(tmp_path / "b.csv"))
    assert detector([image("v", 902.0)])[0].person_ids.tolist() == [4, 5]
    assert detector.videos == ["v", "w"]
    assert (detector.times_of("w"), detector.times_of("x")) == ([7.5], [])


def test_every_time_of_a_table_has_its_boxes(tmp_path: Path) -> None:
    """Half milliseconds are rounded equally in table and image."""
    times = [number / 10_000 for number in range(685, 3000, 10)]
    (tmp_path / "b.csv").write_text("".join(f"v,{time_s:g},0,0,1,1,0.9\n" for time_s in times))
    detector = BoxTableDetector(read_boxes(tmp_path / "b.csv"))
    assert all(map(len, detector([image("v", time_s) for time_s in times])))


def test_each_labelled_person_has_one_box(tmp_path: Path) -> None:
    (tmp_path / "gt.csv").write_text(
        "v,1,0.1,0.1,0.2,0.2,12,0\nv,1,0.1,0.1,0.2,0.2,80,0\nv,1,0.5,0.1,0.9,0.9,11,1\nv,2\n"
    )
    boxes = ground_truth_boxes(read_ground_truth(tmp_path / "gt.csv"))
    assert boxes["person_id"].tolist() == [0, 1]
    assert boxes["score"].tolist() == [1.0, 1.0]
    assert len(BoxTableDetector(boxes)([image("v", 1.0)])[0]) == 2


def test_a_person_with_two_boxes_at_one_time_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(
        "v,1,0,0,0.5,1,0.9,4\nv,1,0,0,0.5,1,0.9,4\nv,1,0.5,0,1,1,0.9,-1\nv,1,0.5,0,0.9,1,0.9,-1\nv,2,0,0,1,1,0.9,4\n"
    )
    boxes = read_boxes(tmp_path / "b.csv")
    require_distinct_persons(boxes, "b.csv")
    boxes.loc[2, "person_id"] = 4
    with pytest.raises(ValueError, match=r"b.csv has two boxes of person 4 in 'v' at 1 s; correct a person id"):
        require_distinct_persons(boxes, "b.csv")


def test_a_table_without_scores_and_ids_and_with_suffixes() -> None:
    """As a table made by hand has them."""
    rows = pd.DataFrame({"video": ["a.mp4"], "timestamp": [1.0], "x1": [0.1], "y1": [0.2], "x2": [0.5], "y2": [0.9]})
    detector = BoxTableDetector(rows)
    (persons,) = detector([KeyframeImage.without_frame("a", 1.0)])
    assert persons.scores.tolist() == [1.0] and persons.person_ids.tolist() == [-1]
    assert detector.times_of("a") == detector.times_of("a.mp4") == [1.0]
    with pytest.raises(ValueError, match=r"no column x2 \(it has video, .*\); it needs video, .* may have score"):
        BoxTableDetector(rows.drop(columns="x2"))
