from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ava_eval import read_boxes
from avdet.people.box_table import (
    COLUMNS,
    ResumableBoxesFile,
    box_table,
    csv_lines,
    persons_from_rows,
    require_normalized,
)
from tests.people.scenes import person_boxes

KEYFRAMES = [
    person_boxes((0.1, 0.2, 1 / 3, 0.9), scores=[0.987654321], ids=[3]),
    person_boxes(),
    person_boxes((0, 0, 1, 1), (0.5, 0, 1, 1)),
]
SETTINGS = {"detector": "torchvision", "rate": 1.0}
A, B = (box_table(video, [1.0], [person_boxes((0.1, 0.1, 0.5, 0.9))]) for video in "ab")
EMPTY = box_table("n", [1.0], [person_boxes()])
VERSIONS = {"a": {"bytes": 10}, "b": {"bytes": 11}, "n": {"bytes": 12}}


def test_a_table_reads_back_equal(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(csv_lines(box_table("clip", [902.0, 903.0, 904.25], KEYFRAMES)))
    rows = read_boxes(tmp_path / "boxes.csv")
    assert rows["timestamp"].tolist() == [902.0, 904.25, 904.25]
    assert rows["person_id"].tolist() == [3, -1, -1]
    again = persons_from_rows(rows[:1])
    assert torch.equal(again.boxes, KEYFRAMES[0].boxes) and torch.equal(again.scores, KEYFRAMES[0].scores)


def test_no_persons_give_a_table_without_rows() -> None:
    empty = box_table("clip", [1.0], [person_boxes()])
    assert empty.columns.tolist() == COLUMNS and empty.empty
    assert csv_lines(empty) == ""


def test_a_box_in_pixels_is_refused_with_its_row() -> None:
    table = box_table("clip", [1.5, 2.0], [person_boxes((0, -0.1, 1.2, 1)), person_boxes((10, 20, 100.5, 200))])
    require_normalized(table[:1], "a.csv")
    with pytest.raises(ValueError, match=r"a.csv has the row clip,2,10,20,100.5,200, a box in pixels; .* divide x"):
        require_normalized(table, "a.csv")


def test_a_finished_file_has_no_journal_and_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "boxes.csv"
    file = ResumableBoxesFile(path, SETTINGS, VERSIONS)
    for video, table in (("a", A), ("n", EMPTY), ("b", B)):
        file.add(video, table)
    file.finish()
    assert path.read_text() == csv_lines(A) + csv_lines(B)
    assert [other.name for other in path.parent.iterdir()] == ["boxes.csv"]
    with pytest.raises(ValueError, match="exists and is finished"):
        ResumableBoxesFile(path, SETTINGS, VERSIONS)


@pytest.mark.parametrize("cut", ["rows", "journal", "both"])
def test_after_a_crash_the_file_resumes_after_its_last_complete_video(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "boxes.csv"
    first = ResumableBoxesFile(path, SETTINGS, VERSIONS)
    first.add("a", A)
    first.add("n", EMPTY)
    if cut in {"rows", "both"}:
        with path.open("a") as rows:
            rows.write("b,1,0.1,0")
    if cut in {"journal", "both"}:
        with (tmp_path / "boxes.csv.journal").open("a") as journal:
            journal.write('{"video": "b", "by')
    again = ResumableBoxesFile(path, SETTINGS, VERSIONS)
    assert again.done == {"a", "n"}
    again.add("b", B)
    assert ResumableBoxesFile(path, SETTINGS, VERSIONS).done == {"a", "n", "b"}
    again.finish()
    assert path.read_text() == csv_lines(A) + csv_lines(B)


def test_a_file_does_not_resume_with_other_settings(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    ResumableBoxesFile(path, {**SETTINGS, "rate": 3.0}, VERSIONS)  # without a finished video, any settings may follow
    ResumableBoxesFile(path, SETTINGS, VERSIONS).add("a", A)
    with pytest.raises(ValueError, match=r"other settings \(rate\)"):
        ResumableBoxesFile(path, {**SETTINGS, "rate": 2.0}, VERSIONS)


def test_removed_rows_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    ResumableBoxesFile(path, SETTINGS, VERSIONS).add("a", A)
    path.unlink()
    with pytest.raises(ValueError, match="missing or shorter than"):
        ResumableBoxesFile(path, SETTINGS, VERSIONS)
    path.write_text("")
    with pytest.raises(ValueError, match="remove both to start again"):
        ResumableBoxesFile(path, SETTINGS, VERSIONS)


def test_a_changed_video_is_not_done_and_its_rows_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    first = ResumableBoxesFile(path, SETTINGS, VERSIONS)
    for video, table in (("a", A), ("n", EMPTY), ("b", B)):
        first.add(video, table)
    again = ResumableBoxesFile(path, SETTINGS, {**VERSIONS, "a": {"bytes": 9}, "n": None})
    assert again.done == {"n", "b"} and path.read_text() == csv_lines(B)
    again.add("a", A)
    last = ResumableBoxesFile(path, SETTINGS, {"a": {"bytes": 9}})  # this run does not include the other videos
    assert last.done == {"n", "b", "a"} and path.read_text() == csv_lines(B) + csv_lines(A)
