from __future__ import annotations

from pathlib import Path

import pytest

from avdet.people.box_table import box_table, csv_lines
from avdet.people.boxes_file import BoxesFile
from tests.people.scenes import people

SETTINGS = {"detector": "torchvision", "rate": 1.0}
A, B = (box_table(video, [1.0], [people((0.1, 0.1, 0.5, 0.9))]) for video in "ab")
VERSIONS = {"a": {"bytes": 10}, "b": {"bytes": 11}, "n": {"bytes": 12}}
NOBODY = box_table("n", [1.0], [people()])


def test_a_whole_file_has_no_journal_and_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "new" / "boxes.csv"
    file = BoxesFile(path, SETTINGS, VERSIONS)
    for video, table in (("a", A), ("n", NOBODY), ("b", B)):
        file.add(video, table)
    file.finish()
    assert path.read_text() == csv_lines(A) + csv_lines(B)
    assert [other.name for other in path.parent.iterdir()] == ["boxes.csv"]
    with pytest.raises(ValueError, match="exists and is finished"):
        BoxesFile(path, SETTINGS, VERSIONS)


@pytest.mark.parametrize("cut", ["rows", "journal", "both"])
def test_after_a_crash_it_goes_on_where_it_was_whole(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "boxes.csv"
    first = BoxesFile(path, SETTINGS, VERSIONS)
    first.add("a", A)
    first.add("n", NOBODY)
    if cut in {"rows", "both"}:
        with path.open("a") as rows:
            rows.write("b,1,0.1,0")
    if cut in {"journal", "both"}:
        with (tmp_path / "boxes.csv.journal").open("a") as journal:
            journal.write('{"video": "b", "by')
    again = BoxesFile(path, SETTINGS, VERSIONS)
    assert again.done == {"a", "n"}
    again.add("b", B)
    assert BoxesFile(path, SETTINGS, VERSIONS).done == {"a", "n", "b"}
    again.finish()
    assert path.read_text() == csv_lines(A) + csv_lines(B)


def test_other_settings_do_not_go_on(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    BoxesFile(path, {**SETTINGS, "rate": 3.0}, VERSIONS)  # nothing done yet: anything may follow
    BoxesFile(path, SETTINGS, VERSIONS).add("a", A)
    with pytest.raises(ValueError, match=r"other settings \(rate\)"):
        BoxesFile(path, {**SETTINGS, "rate": 2.0}, VERSIONS)


def test_rows_that_somebody_removed_are_missed(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    BoxesFile(path, SETTINGS, VERSIONS).add("a", A)
    path.unlink()
    with pytest.raises(ValueError, match="gone or shorter than"):
        BoxesFile(path, SETTINGS, VERSIONS)
    path.write_text("")
    with pytest.raises(ValueError, match="remove both to start anew"):
        BoxesFile(path, SETTINGS, VERSIONS)


def test_a_video_that_changed_is_not_done_and_its_rows_go(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    first = BoxesFile(path, SETTINGS, VERSIONS)
    for video, table in (("a", A), ("n", NOBODY), ("b", B)):
        first.add(video, table)
    again = BoxesFile(path, SETTINGS, {**VERSIONS, "a": {"bytes": 9}, "n": None})
    assert again.done == {"n", "b"} and path.read_text() == csv_lines(B)
    again.add("a", A)
    last = BoxesFile(path, SETTINGS, {"a": {"bytes": 9}})  # the others are not asked for again
    assert last.done == {"n", "b", "a"} and path.read_text() == csv_lines(B) + csv_lines(A)
