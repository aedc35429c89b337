from collections import Counter
from pathlib import Path

import pytest

from avdet.annotations.importers.rows import VideoIndex
from tests.annotations.importers.label_files import AVA_CSV, EXPECTED, NORMALISED_CSV, PIXEL_TSV, read


def test_rows_without_an_action_and_duplicates_are_omitted(videos: VideoIndex, tmp_path: Path) -> None:
    rows = "kitchen one,0.5,0,0,1,1,,3\nkitchen one,0.5,0.25,0.25,0.5,1,talk,\n"
    (tmp_path / "a.csv").write_text(NORMALISED_CSV + rows)
    omitted: Counter[str] = Counter()
    assert read(tmp_path / "a.csv", videos, omitted).to_numpy().tolist() == EXPECTED
    assert +omitted == {"rows without an action": 1, "duplicate rows": 1}


@pytest.mark.parametrize(
    ("header", "persons", "ids"),
    [
        ("person", ["7", "P", "", "P"], [0, 1, -1, 1]),
        ("person", ["Ann", "Bob", "-1", "Ann"], [0, 1, -1, 0]),
        ("person", ["NA", "4", "nan", "None"], [-1, 4, -1, -1]),
        ("track", ["P7", "P3", "", "P3"], [7, 3, -1, 3]),
        ("track", ["A1", "B1", "", "B1"], [0, 1, -1, 1]),
        ("person", ["2.0", "5.0", "-1.0", "2.0"], [2, 5, -1, 2]),
        ("person", ["5000000000", "3", "3", "3"], [1, 0, 0, 0]),
        ("id", ["2", "5", "5", "5"], [2, 5, 5, 5]),
        ("id", ["1", "2", "3", "4"], [-1] * 4),
        ("id,person", ["1,8", "2,8", "3,9", "4,9"], [8, 8, 9, 9]),
    ],
)
def test_person_ids_become_numbers(
    videos: VideoIndex, tmp_path: Path, header: str, persons: list[str], ids: list[int]
) -> None:
    rows = "".join(f"garden,{second},0,0,1,1,sit,{person}\n" for second, person in enumerate(persons))
    (tmp_path / "a.csv").write_text(f"video,time,x1,y1,x2,y2,action,{header}\n{rows}")
    assert read(tmp_path / "a.csv", videos)["person_id"].tolist() == ids


def test_action_ids_may_be_written_as_floats(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("garden,0.5,0,0,1,1,2.0,0\n")
    assert read(tmp_path / "a.csv", videos)["action"].tolist() == ["talk"]


def test_a_table_may_have_only_a_header(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(NORMALISED_CSV.splitlines()[0])
    assert read(tmp_path / "a.csv", videos).empty


NOT_FINITE = "the time or box is not a finite number"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PIXEL_TSV.replace("\t10\t", "\t9.5\t"), r"line 4 has a box on frame 9\.5 of kitchen one"),
        (NORMALISED_CSV.replace("xmax", "width"), "has no column x2"),
        (NORMALISED_CSV.replace("0.25,0.25", "left,0.25"), f"line 2: {NOT_FINITE}"),
        (NORMALISED_CSV.replace("0,0,0.5", "0,0,inf"), f"line 4: {NOT_FINITE}"),
        (NORMALISED_CSV.replace("\n", "\n\n").replace("0,0,0.5", "nan,0,0.5"), f"line 7: {NOT_FINITE}"),
        (NORMALISED_CSV.replace("mp4,1,", "mp4,inf,"), f"line 4: {NOT_FINITE}"),
        (
            NORMALISED_CSV.replace("0,0,0.5,0.5", "0,0,32,24"),
            r"line 2: the box 0\.25,.* is normalised, but the box of line 4, 0,0,32,24, is in pixels",
        ),
        (AVA_CSV.replace(",4,3", ",5,3"), "the action id 5, which has no name"),
        (NORMALISED_CSV.replace("Track", "Action"), "has two columns for action_id"),
        ("", "is empty; give a table with one row per person and action"),
        (",,\n", "is empty"),
    ],
)
def test_invalid_tables_are_refused(videos: VideoIndex, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text, newline="")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.csv", videos)
