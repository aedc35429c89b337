"""The four kinds of files, in the forms that circulate."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ava_eval import FormatError, read_boxes, read_detections, read_excluded, read_ground_truth
from tests.shared import SHARED, needs_shared

ANNOTATIONS = SHARED / "data/annotations"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(text.encode())
        return path

    return to_file


TRUTH = "a,0902,0.1,0.2,0.3,0.4,12,7\na,902.5,0.5,0.25,1,0.75,80,8\n00123,903,0,0,1,1,1,0\n"


def assert_truth(table: pd.DataFrame) -> None:
    assert list(table.columns) == ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"]
    assert table["video"].tolist() == ["a", "a", "00123"]
    assert table["timestamp"].tolist() == [902.0, 902.5, 903.0]
    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == [
        [0.1, 0.2, 0.3, 0.4],
        [0.5, 0.25, 1, 0.75],
        [0, 0, 1, 1],
    ]
    assert table["action_id"].tolist() == [12, 80, 1]
    assert table["person_id"].tolist() == [7, 8, 0]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(",", "\t"),
        lambda text: "\n\r\n  \n" + text.replace("\n", "\n\n") + "\n,,,,,,,\n",
        lambda text: "video_id,middle_frame_timestamp,x1,y1,x2,y2,action_id,person_id\n" + text,
        lambda text: "\ufeff\nVideo, Time ,xmin,ymin,xmax,ymax,Label,Entity-ID\r\n" + text,
        lambda text: "movie_name,frame_sec,xtl,ytl,xbr,ybr,verb,who\n" + text,  # unknown, but no other quantity
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("a,", '"a",').replace("0.1", '"0.1"'),
        lambda text: text.replace("12,7", "12.0,7.0"),
        lambda text: text.replace("0.1", "1e-1").replace("0.25", "+.25").replace("903", "903."),
        lambda text: text.replace("1,0\n", "1,0,,\n"),
    ],
)  # fmt: skip
def test_one_table_in_many_dresses(write: Write, change: Callable[[str], str]) -> None:
    assert_truth(read_ground_truth(write(change(TRUTH))))


def test_gzip_is_seen_by_its_first_bytes(tmp_path: Path) -> None:
    for name in ("file.csv.gz", "file.csv"):
        (tmp_path / name).write_bytes(gzip.compress(TRUTH.encode()))
        assert_truth(read_ground_truth(tmp_path / name))


def test_cut_gzip(tmp_path: Path) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(TRUTH.encode() * 1000)[:-20])
    with pytest.raises(FormatError, match=r"cut\.csv\.gz is a damaged gzip file"):
        read_ground_truth(tmp_path / "cut.csv.gz")


def test_ground_truth_without_persons_and_listed_keyframes(write: Write) -> None:
    table = read_ground_truth(write("a,902,0.1,0.2,0.3,0.4,12\na,903\na,904,,,,,,\na,905,0,0,1,1,3,\n"))
    assert table["action_id"].tolist() == [12, 0, 0, 3]
    assert table["person_id"].tolist() == [-1, -1, -1, -1]
    assert np.isnan(table["x1"]).tolist() == [False, True, True, False]


def test_detections(write: Write) -> None:
    table = read_detections(write("a,902,0.1,0.2,0.3,0.4,12,0.5\na,903\na,902,0.1,0.2,0.3,0.4,12,1e-3,4\n"))
    assert list(table.columns) == ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]
    assert table["score"].tolist() == [0.5, 0.001]
    assert table["person_id"].tolist() == [-1, 4]


def test_excluded(write: Write) -> None:
    table = read_excluded(write("video,timestamp\na,0902\nb,903.5"))
    assert table["video"].tolist() == ["a", "b"]
    assert table["timestamp"].tolist() == [902.0, 903.5]
    assert len(read_excluded(write("\n"))) == 0


BOX = "a,1,0,0,1,1"


@pytest.mark.parametrize(
    ("rows", "scores", "persons"),
    [
        ([BOX], [1.0], [-1]),
        ([f"{BOX},0.7", "a,2"], [0.7], [-1]),
        ([f"{BOX},0.7,3", f"{BOX},1,12"], [0.7, 1.0], [3, 12]),
        ([f"{BOX},,0.7", "b,1,0,0,1,1,,0.8"], [0.7, 0.8], [-1, -1]),
        ([f"{BOX},12,0.7", f"{BOX},80,0.7", "b,1,0,0,1,1,,0.8"], [0.7, 0.8], [-1, -1]),  # a person once, not by label
        ([f"{BOX},1,0.7"], [0.7], [-1]),
        ([f"{BOX},1,1"], [1.0], [1]),
    ],
)
def test_boxes_with_score_and_person_or_with_label_and_score(
    write: Write, rows: list[str], scores: list[float], persons: list[int]
) -> None:
    table = read_boxes(write("\n".join(rows)))
    assert list(table.columns) == ["video", "timestamp", "x1", "y1", "x2", "y2", "score", "person_id"]
    assert table["score"].tolist() == scores
    assert table["person_id"].tolist() == persons


@pytest.mark.parametrize(
    "rows",
    [
        [f"{BOX},12,178"],
        [f"{BOX},12", f"{BOX},80"],
        [f"{BOX},12,0", "a,2", f"{BOX},80,1"],  # two persons, 0 and 1
        [f"{BOX},12,3", f"{BOX},80,"],
    ],
)
def test_ground_truth_is_no_list_of_boxes(write: Write, rows: list[str]) -> None:
    with pytest.raises(FormatError, match=r"looks like a ground truth, .* person boxes are video.*\[,score.* once"):
        read_boxes(write("\n".join(rows)))


@pytest.mark.parametrize("rows", [[f"{BOX},,12"], [BOX, f"{BOX},,0.7"], [f"{BOX},1.5"]])
def test_boxes_without_a_score_in_every_row(write: Write, rows: list[str]) -> None:
    with pytest.raises(FormatError, match="columns 7 and 8 are neither score,person_id"):
        read_boxes(write("\n".join(rows)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,902,0.1,0.2,0.3,0.4", "6 columns in 'a,902,0.1,0.2,0.3,0.4'; ground truth files have video,timestamp"),
        ("a,902,0.1,0.2,0.3,0.4,1,2,3", "9 columns"),
        ("a;902;0,1;0,2;0,3;0,4;12", "5 columns"),
        ("a;902", "1 column in 'a;902'.*separated by commas or tabs"),
        (",902,0.1,0.2,0.3,0.4,1", "'' is no video name"),
        ("a\tb,902,0.1,0.2,0.3,0.4,1", "no video name"),
        ("a,x,0.1,0.2,0.3,0.4,1", "timestamp is 'x', not a finite number; write seconds, such as 902 or 902.5"),
        ("a,1e10,0.1,0.2,0.3,0.4,1", "timestamp is '1e10', beyond 1e\\+09; times are seconds"),
        ("a,902,-1e7,0.2,0.3,0.4,1", "x1 is '-1e7', beyond 1e\\+06"),
        ("a,902,nan,0.2,0.3,0.4,1", "x1 is 'nan', not a finite number"),
        ("a,902,0.1,1e400,0.3,0.4,1", "y1 is '1e400'"),
        ("a,902,0.1,0.2,inf,0.4,1", "x2 is 'inf'"),
        ("a,902,0.1,0.2,0.3,0_4,1", "y2 is '0_4'"),
        ("a,902,0.1,0.2,0.3,٤,1", "y2 is"),
        ("a,902,0.1,0.2,0.3,,1", "y2 is ''"),
        ("a,902,0.5,0.2,0.3,0.4,1", r"box 0.5,0.2,0.3,0.4 has x1 > x2 or y1 > y2; boxes are x1,y1,x2,y2 \(corners\)"),
        ("a,902,0.1,0.5,0.3,0.4,1", "x1 > x2 or y1 > y2"),
        ("a,902,0.1,0.2,0.3,0.4,stand", "action_id is 'stand', not .*; write the class's id in the label map"),
        ("a,902,0.1,0.2,0.3,0.4,1.5", "action_id is '1.5', not a whole number; the order is action_id, score"),
        ("a,902,0.1,0.2,0.3,0.4,99999999999", "action_id is '99999999999', beyond 2.14748e"),
        ("a,902,0.1,0.2,0.3,0.4,0", "ids start at 1; if yours start at 0, add 1 to all"),
        ("a,902,0.1,0.2,0.3,0.4,1,0.93", "person_id is '0.93'.*if this column holds scores"),
        ("a,902,0.1,0.2,0.3,0.4,1,-2", "person_id is '-2'; use 0 and up, or -1 for nobody"),
        ('a,902,0.1,0.2,0.3,0.4,"1', "is not a CSV row"),
        ("a,902,0.1,0.2,0.3,0.4,1\r2", "holds a carriage return; save the file with LF or CRLF line ends"),
        ("a,902,0.1,0.2,0.3,0.4,1\x002", "action_id is|is not a CSV row"),
    ],
)
def test_malformed_rows_name_file_and_line(write: Write, row: str, message: str) -> None:
    path = write(f"{TRUTH}\n{row}\n{TRUTH}")
    with pytest.raises(FormatError, match=rf"^\S*file\.csv, line 5: .*({message})"):
        read_ground_truth(path)


@pytest.mark.parametrize(
    ("read", "row", "cut"),
    [
        (read_ground_truth, "a,902,0.1,0.2,0.3,0.4,12,7\n", "a,903,0.1,0.2,0.3,0.4,1"),
        (read_detections, "a,902,0.1,0.2,0.3,0.4,12,0.5,7\n", "a,903,0.1,0.2,0.3,0.4,12,0.0"),
        (read_boxes, "a,902,0.1,0.2,0.3,0.4,0.7\n", "a,903,0.1,0.2,0.3,0.4"),
    ],
)
def test_a_last_line_that_breaks_off(write: Write, read: Callable[[Path], pd.DataFrame], row: str, cut: str) -> None:
    for separator in ",\t":
        text = f"{row}{row}\n{cut}".replace(",", separator)
        with pytest.raises(FormatError, match=r"file\.csv, line 4: .* columns and no line end, where the line above"):
            read(write(text))
        assert len(read(write(f"{text}\n"))) == 3
    assert len(read(write(f"{row}{cut}{',' * (row.count(',') - cut.count(','))}"))) == 2
    assert len(read(write(f'"a,b"{row[1:]}{row.strip()}'))) == 2
    assert read(write(f"{row}a,903"))["timestamp"].iloc[0] == 902


def test_missing_scores_are_not_invented(write: Write) -> None:
    with pytest.raises(FormatError, match=r"line 1: 7 columns .* the score column is missing"):
        read_detections(write("a,902,0.1,0.2,0.3,0.4,12\n"))


def test_headers_in_another_order_are_refused(write: Write) -> None:
    header = "video,timestamp,x1,y1,x2,y2,score,action_id\n"
    with pytest.raises(
        FormatError, match="line 1: the header's column 7 is 'score', where detections files have action_id"
    ):
        read_detections(write(header + "a,902,0.1,0.2,0.3,0.4,1,0.5\n"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("video,time,x,y,w,h,label", "column 5 is 'w', where ground truth files have x2; convert or order"),
        ("video,time,x1,y1,box width,height,label", "column 5 is 'box width'"),
        ("video,frame,x1,y1,x2,y2,label", "column 2 is 'frame', where ground truth files have timestamp"),
        ("video,frame_id,x1,y1,x2,y2,label", "column 2 is 'frame_id'"),
    ],
)
def test_headers_that_name_something_else_are_refused(write: Write, header: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_ground_truth(write(f"{header}\n{TRUTH}"))


def test_headers_of_boxes(write: Write) -> None:
    start = "video,time,x1,y1,x2,y2"
    assert len(read_boxes(write(f"{start},score,person_id\n{BOX},1,1\n"))) == 1
    assert len(read_boxes(write(f"{start},label,score\n{BOX},1,1\n"))) == 1
    with pytest.raises(FormatError, match="column 8 is 'entity_id', where person boxes files have score"):
        read_boxes(write(f"{start},label,entity_id\n{BOX},1,1\n"))


def test_a_first_line_that_is_neither_header_nor_row(write: Write) -> None:
    with pytest.raises(FormatError, match="line 1: timestamp is 'b'"):
        read_excluded(write("a,b\nc,902\n"))


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(TRUTH.encode() + b"caf\xe9,902,0,0,1,1,1\n")
    with pytest.raises(FormatError, match=r"latin\.csv, line 4: byte 0xe9 is not UTF-8 text"):
        read_ground_truth(tmp_path / "latin.csv")


def test_a_file_without_lines_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"x" * 9_000_000)
    with pytest.raises(FormatError, match="line 1: longer than 8388608 bytes"):
        read_ground_truth(tmp_path / "blob")


def test_many_blocks_are_one_table(tmp_path: Path) -> None:
    """12 MB in two blocks, the second with a row of another width, and videos that recur."""
    rows = [f"video_{i % 7},{i}.25,0.125,0.25,0.5,0.75,{i % 80 + 1},0.{i:06d}\n" for i in range(200_000)]
    rows[190_000] = "extra,0\n"
    (tmp_path / "long.csv").write_text("".join(rows), encoding="utf-8")
    table = read_detections(tmp_path / "long.csv")
    i = np.delete(np.arange(200_000), 190_000)
    assert len(table) == len(i)
    assert (table["timestamp"].to_numpy() == i + 0.25).all()
    assert (table["score"].to_numpy() == i / 1e6).all()
    assert (table["action_id"].to_numpy() == i % 80 + 1).all()
    assert table["video"].tolist() == [f"video_{n % 7}" for n in i]


@needs_shared
def test_real_files() -> None:
    ava, birds = ANNOTATIONS / "ava", ANNOTATIONS / "custom_ava/ethereal311_birds/annotations"
    assert len(read_ground_truth(ava / "derenlei_pose_only/ava_val_v2.1_pose_only.csv")) == 93_400
    assert len(read_ground_truth(ava / "ava_val_v2.2_excerpt_9Y_l9NsnYE0_1315-1333.csv")) == 114
    assert len(read_excluded(ava / "ava_train_excluded_timestamps_v2.2.csv")) == 161
    assert len(read_ground_truth(birds / "ava_train_v2.2.csv")) == 176
    assert len(read_excluded(birds / "ava_val_excluded_timestamps_v2.2.csv")) == 0
    folder = birds / "person_box_67091280_iou90"
    assert len(read_boxes(folder / "ava _detection_val_boxes_and_labels.csv")) == 22
    assert len(read_boxes(folder / "ava_detection _train_boxes_and _labels_include_ negative_v2.2.csv")) == 88
    with pytest.raises(FormatError, match="line 16: person_id is '3_'"):
        read_ground_truth(ava / "ava_val_v2.2_excerpt_1j20qq1JyX4_0902-0912.csv")
