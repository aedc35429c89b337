import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from avdet.annotations.importers.attributes import Choice
from avdet.annotations.importers.video_index import VideoIndex
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PIXEL_TSV.replace("\t10\t", "\t9.5\t"), r"line 4 has a box on frame 9\.5 of kitchen one"),
        (NORMALISED_CSV.replace("xmax", "width"), "has no column x2"),
        (NORMALISED_CSV.replace("0.25,0.25", "far,0.25"), "line 2: xmin is 'far', not a finite number"),
        (NORMALISED_CSV.replace("0,0,0.5", "0,0,inf"), "line 4: xmax is 'inf', not a finite number"),
        (NORMALISED_CSV.replace("\n", "\n\n").replace("0,0,0.5", "nan,0,0.5"), "line 7: xmin is 'nan'"),
        (NORMALISED_CSV.replace("mp4,1,", "mp4,inf,"), "line 4: the time 'inf' is a text, not a finite number"),
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


def rows(text: str | bytes, videos: VideoIndex, folder: Path, name: str = "a.csv", **options: Any) -> list[list[Any]]:  # noqa: ANN401
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(folder / name, videos, **options).round(6).to_numpy().tolist()


SIT = ["garden", 1.5, 0.1, 0.2, 0.4, 0.8, "sit", 1]
HEADER, ROW = "video,time,x1,y1,x2,y2,action,person\n", "garden,1.5,0.1,0.2,0.4,0.8,sit,1\n"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW,
        HEADER + ROW.replace("1.5", "00:00:01.5"),
        HEADER + ROW.replace("1.5", "0:01.5"),
        HEADER + ROW.replace("1.5", "1.5 s"),
        (HEADER + ROW).replace(",", ";").replace(".", ","),
        ("sep=;\n" + HEADER + ROW).replace(",", ";").replace(".", ","),
        (HEADER + ROW).replace(",", "\t").replace(".", ",").encode("utf-16"),
        "Filename,Timestamp (s),left,top,right,bottom,Label,Track ID\n" + ROW,
        "file,clock_time,xtl,ytl,xbr,ybr,Behaviour,Subject\n".replace("clock_time", "timecode") + ROW,
        "video,time,x1%,y1%,x2%,y2%,action,person\ngarden,1.5,10,20,40,80,sit,1\n",
        "video,time,x,y,w,h,action,person\ngarden,1.5,0.1,0.2,0.3,0.6,sit,1\n",
        "video,time,x_center,y_center,width,height,action,person\ngarden,1.5,0.25,0.5,0.3,0.6,sit,1\n",
        "video,frame,x1,y1,x2,y2,action,person\ngarden,15,6.4,9.6,25.6,38.4,sit,1\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax,id\ngarden_15.jpg,640,480,sit,64,96,256,384,1\n"
        "garden_0.jpg,640,480,none,64,96,256,384,1\n",
    ],
)
def test_tables_as_people_write_them(videos: VideoIndex, tmp_path: Path, text: str | bytes) -> None:
    assert rows(text, videos, tmp_path) == [SIT]


def test_numbers_prove_percents_and_sizes(videos: VideoIndex, tmp_path: Path) -> None:
    """Of 64 x 48 pixels: 80 is no pixel. With 0.6, 0.3 as a corner, x1 would exceed x2."""
    assert rows(f"{HEADER}garden,1.5,10,20,40,80,sit,1\n", videos, tmp_path) == [SIT]
    sizes = rows(f"{HEADER}garden,1.5,0.6,0.2,0.3,0.6,sit,1\n", videos, tmp_path)
    assert sizes == [["garden", 1.5, 0.6, 0.2, 0.9, 0.8, "sit", 1]]
    assert rows(f"{HEADER}garden,1.5,5,10,20,40,sit,1\n", videos, tmp_path, box_unit="percents")[0][2] == 0.05


def test_the_unit_is_reported(videos: VideoIndex, tmp_path: Path) -> None:
    notes: dict[str, None] = {}
    rows(f"{HEADER}garden,1.5,16,12,32,48,sit,1\n", videos, tmp_path, notes=notes)
    assert list(notes) == [
        "a.csv: boxes are x1, y1, x2, y2 in pixels (largest number 48); if they are percents, give --box-unit percents"
    ]


@pytest.mark.parametrize("cell", ["sit|talk", '"sit,talk"', "sit; talk", "2|5"])
def test_a_cell_may_hold_several_actions(videos: VideoIndex, tmp_path: Path, cell: str) -> None:
    label_map = {2: "sit", 5: "talk"}
    found = rows(HEADER + ROW.replace("sit", cell), videos, tmp_path, label_map=label_map)
    assert found == [SIT, [*SIT[:6], "talk", 1]]


def test_keyframes_without_persons_stay(videos: VideoIndex, tmp_path: Path) -> None:
    found = rows(ROW.replace("sit", "1") + "garden,0.5\ngarden,1,,,,,,\ngarden,1.5\n", videos, tmp_path)
    assert [row[:2] + row[6:] for row in found] == [
        ["garden", 0.5, "", -1], ["garden", 1.0, "", -1], ["garden", 1.5, "stand", 1]
    ]  # fmt: skip


def test_columns_can_be_chosen(videos: VideoIndex, tmp_path: Path) -> None:
    text = "video,time,x1,y1,x2,y2,pose,talks,label,cow,person\ngarden,1.5,0.1,0.2,0.4,0.8,sit,1,b,Bella,7\n"
    notes: dict[str, None] = {}
    found = rows(text, videos, tmp_path, choice=Choice(("pose", "talks"), "cow"), notes=notes)
    assert found == [[*SIT[:6], "sit", 0], [*SIT[:6], "talks", 0]]
    assert "a.csv: columns that are not read: label, person" in notes


def test_values_that_are_no_action_are_counted(videos: VideoIndex, tmp_path: Path) -> None:
    omitted: Counter[str] = Counter()
    assert rows(HEADER + ROW + 2 * ROW.replace("sit", "none"), videos, tmp_path, omitted=omitted) == [SIT]
    assert +omitted == {"values 'none' of the action": 2}


def test_a_line_without_a_number_is_a_header(videos: VideoIndex, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"no column action_id .*; unknown words: doings; .*Understood are video: clip"
    ):
        rows(HEADER.replace("action", "doings") + ROW, videos, tmp_path)
    with pytest.raises(ValueError, match="no column video, x1, y1, x2, y2, action_id, timestamp or frame"):
        rows("a,b\n", videos, tmp_path)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ('"1,5"', "a number with a decimal comma"),
        ("00:00:01:12", "a timecode with frames"),
        ("900 ms", "in milliseconds"),
    ],
)
def test_other_times_are_named(videos: VideoIndex, tmp_path: Path, cell: str, kind: str) -> None:
    with pytest.raises(ValueError, match=f"line 2: the time '.*' is {kind}"):
        rows(HEADER + ROW.replace("1.5", cell), videos, tmp_path)


def test_times_of_ava_kinetics_become_those_of_its_clips(tmp_path: Path) -> None:
    clips = VideoIndex({name: tmp_path / name for name in ("ID_000016_000026", "ID_000100_000110", "b")})
    table = "ID,21.5,0.1,0.2,0.4,0.8,1,3\nID,100,,,,,,\nb,5,0.1,0.2,0.4,0.8,2,3\n"
    assert [row[:2] for row in rows(table, clips, tmp_path)] == [
        ["ID_000016_000026", 5.5], ["ID_000100_000110", 0.0], ["b", 5.0]
    ]  # fmt: skip
    with pytest.raises(ValueError, match="line 1: ID at 50 s is in none of its clips"):
        rows("ID,50,0.1,0.2,0.4,0.8,1,3\n", clips, tmp_path)


@pytest.mark.parametrize("text", ["Time (ms)", "time_ms"])
def test_milliseconds_are_no_seconds(videos: VideoIndex, tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="no column timestamp or frame"):
        rows(HEADER.replace("time", text) + ROW, videos, tmp_path)


def test_detections_with_names_are_labels_from_a_score_on(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "detections.csv").write_text(
        "video,timestamp,x1,y1,x2,y2,action_id,score,person_id,action\n"
        'garden,1,0,0,1,1,40,0.9,7,"talk to (self, others)"\ngarden,1,0,0,1,1,50,0.29,7,sit\n'
    )
    omitted: Counter[str] = Counter()
    rows = read(tmp_path / "detections.csv", videos, omitted)
    assert rows[["action", "person_id"]].to_numpy().tolist() == [["talk to (self, others)", 7]]
    assert +omitted == {"detections with a score below 0.3": 1}


def test_a_column_has_the_offset_of_each_video(videos: VideoIndex, tmp_path: Path) -> None:
    rows = "garden,100.5,0,0,1,1,sit,100\ngarden,1.5,0,0,1,1,sit,\nkitchen one,62,0,0,1,1,sit,0:01:01\n"
    (tmp_path / "a.csv").write_text(f"video,time,x1,y1,x2,y2,action,origin\n{rows}")
    table = read(tmp_path / "a.csv", videos)
    assert table[["video", "timestamp"]].to_numpy().tolist() == [["garden", 0.5], ["garden", 1.5], ["kitchen one", 1.0]]
    (tmp_path / "b.csv").write_text("video,time,x1,y1,x2,y2,action,origin\ngarden,0.5,0,0,1,1,sit,drawn\n")
    with pytest.raises(ValueError, match="line 2: the offset 'drawn' is no number of seconds"):
        read(tmp_path / "b.csv", videos)


@pytest.mark.parametrize("header", ["", "video,timestamp,x1,y1,x2,y2,action_id,score,person_id\n"])
def test_detections_are_no_labels(videos: VideoIndex, tmp_path: Path, header: str) -> None:
    """The eighth column has scores, not person ids; a box's own score is the same in all its rows."""
    rows = "garden,0.5,0,0,1,1,1,0.9,0\ngarden,0.5,0,0,1,1,2,{},0\n"
    (tmp_path / "a.csv").write_text(header + rows.format("0.25"))
    with pytest.raises(ValueError, match=r"has detections: one box with several scores.*export_annotations"):
        read(tmp_path / "a.csv", videos)
    (tmp_path / "a.csv").write_text(header + rows.format("0.9"))
    assert read(tmp_path / "a.csv", videos)[["action", "person_id"]].to_numpy().tolist() == [["stand", 0], ["talk", 0]]


def test_names_are_compared_in_one_form_of_unicode(video_folder: Path, tmp_path: Path) -> None:
    """macOS decomposes the letters of file names."""
    videos = VideoIndex({"cafe\u0301": video_folder / "garden.mp4"})
    (tmp_path / "a.csv").write_text("caf\u00e9,0.5,0,0,1,1,1,0\ncafe\u0301.mp4,1,0,0,1,1,1,0\n", encoding="utf-8")
    assert read(tmp_path / "a.csv", videos)["video"].tolist() == ["caf\u00e9"] * 2
    assert videos.find_image("cafe\u0301_7.jpg", tmp_path / "a.csv") == ("caf\u00e9", 7)
    assert videos.video_of_file(tmp_path / "cafe\u0301.csv") == "caf\u00e9"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("video,time,x1,y1,x2,y2,tag\ngarden,1,25%,25%,50%,100%,sit\n", "in percents"),
        ("video,time,x1,y1,x2,y2,tag\ngarden,1,16,12,140,40,sit\n", "1 of 1 boxes exceed their video's frame"),
        ("video,time,x1,y1,x2,y2,tag\ngarden,9,0,0,1,1,sit\n", r"1 rows are past the end .* 9 s of garden \(2\.0 s\)"),
        ("video,frame,x1,y1,x2,y2,tag\ngarden,20,0,0,1,1,sit\n", "frames count from 1"),
        ("video,frame,x1,y1,x2,y2,tag\ngarden,19,0,0,1,1,sit\n", "frames count from 0"),
    ],
)
def test_doubtful_numbers_are_noted(videos: VideoIndex, tmp_path: Path, text: str, note: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    notes: dict[str, None] = {}
    assert len(read(tmp_path / "a.csv", videos, notes=notes)) == 1
    assert re.search(note, "; ".join(notes))


def test_a_column_without_a_name_is_no_person(videos: VideoIndex, tmp_path: Path) -> None:
    """Tables that pandas writes begin with row numbers."""
    (tmp_path / "a.csv").write_text(
        ",video,time,x1,y1,x2,y2,action\n0,garden,1,0,0,1,1,sit\n1,garden,1.5,0,0,1,1,sit\n"
    )
    assert read(tmp_path / "a.csv", videos)["person_id"].tolist() == [-1, -1]


def test_cut_rows_are_counted(videos: VideoIndex, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("video,time,x1,y1,x2,y2,action\ngarden,1,0.1,0.2\n")
    omitted: Counter[str] = Counter()
    assert read(tmp_path / "a.csv", videos, omitted).empty
    assert omitted["rows without an action"] == 1
