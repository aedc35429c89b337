"""Messages about malformed rows and headers, and the fast parser against the strict one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval import FormatError, read_boxes, read_detections, read_excluded, read_ground_truth
from ava_eval.csv_format import BOXES, DETECTIONS, EXCLUDED, GROUND_TRUTH, Layout
from ava_eval.csv_parser import parse_fast, parse_row, split_line

Write = Callable[[str], Path]
TRUTH = "a,0902,0.1,0.2,0.3,0.4,12,7\na,902.5,0.5,0.25,1,0.75,80,8\n00123,903,0,0,1,1,1,0\n"
BOX = "a,1,0,0,1,1"
UNUSUAL = ["", " ", "nan", "inf", "-1", "0", "1", "True", "1e400", "1_0", "0x1", "1e5", "1.",
       ".5", "+1", "--1", "NA", "null", "٣",
       "1 2", "a", "'", "1d2", "1E-3", "99999999999", "1.5", "2\xa0", "-0.0", "00123", "1e", "\t1"]  # fmt: skip
FIELDS = st.one_of(
    st.sampled_from(["0.25", "0.5", "0.125", "1", "2", "12"]),
    st.sampled_from(UNUSUAL),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=10).map(",".join), min_size=1, max_size=4)
PLAIN = st.sampled_from(["a,902,0.1,0.2,0.3,0.4,12,0.5", "b,903,0.1,0.2,0.3,0.4,1,1", "a,902", "00123,1,0,0,1,1,2,1"])
LAYOUTS = st.sampled_from([GROUND_TRUTH, DETECTIONS, BOXES, EXCLUDED])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,902,0.1,0.2,0.3,0.4", "6 columns in 'a,902,0.1,0.2,0.3,0.4'; ground truth files have video,timestamp"),
        ("a,902,0.1,0.2,0.3,0.4,1,2,3", "9 columns"),
        ("a;902;0,1;0,2;0,3;0,4;12", "5 columns"),
        ("a;902", "1 column in 'a;902'.*separate columns by commas or tabs"),
        (",902,0.1,0.2,0.3,0.4,1", "'' is not a video name"),
        ("a\tb,902,0.1,0.2,0.3,0.4,1", "not a video name"),
        ("a,x,0.1,0.2,0.3,0.4,1", "timestamp is 'x', not a finite number; write seconds, such as 902 or 902.5"),
        ("a,1e10,0.1,0.2,0.3,0.4,1", "timestamp is '1e10', beyond 1e\\+09; timestamps are in seconds"),
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
        ("a,902,0.1,0.2,0.3,0.4,1,-2", "person_id is '-2'; use 0 or more, or -1 for an unknown person"),
        ('a,902,0.1,0.2,0.3,0.4,"1', "is not a CSV row"),
        ("a,902,0.1,0.2,0.3,0.4,1\r2", "holds a carriage return; save the file with LF or CRLF line ends"),
        ("a,902,0.1,0.2,0.3,0.4,1\x002", "action_id is|is not a CSV row"),
    ],
)
def test_malformed_rows_name_file_and_line(write: Write, row: str, message: str) -> None:
    path = write(f"{TRUTH}\n{row}\n{TRUTH}")
    with pytest.raises(FormatError, match=rf"^\S*file\.csv, line 5: .*({message})"):
        read_ground_truth(path)


def test_detections_without_scores_are_refused(write: Write) -> None:
    with pytest.raises(FormatError, match=r"line 1: 7 columns .* add the score column"):
        read_detections(write("a,902,0.1,0.2,0.3,0.4,12\n"))


def test_headers_in_another_order_are_refused(write: Write) -> None:
    header = "video,timestamp,x1,y1,x2,y2,score,action_id\n"
    with pytest.raises(
        FormatError, match="line 1: column 7 of the header is 'score', but detections files have action_id there"
    ):
        read_detections(write(header + "a,902,0.1,0.2,0.3,0.4,1,0.5\n"))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "video,time,x,y,w,h,label",
            "column 5 of the header is 'w', but ground truth files have x2 there; convert or reorder",
        ),
        ("video,time,x1,y1,box width,height,label", "column 5 of the header is 'box width'"),
        ("video,frame,x1,y1,x2,y2,label", "column 2 of the header is 'frame', but ground truth files have timestamp"),
        ("video,frame_id,x1,y1,x2,y2,label", "column 2 of the header is 'frame_id'"),
        ("x1,y1,x2,y2,video,time,label", "column 1 of the header is 'x1', but ground truth files have video there"),
    ],
)
def test_headers_of_other_quantities_are_refused(write: Write, header: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_ground_truth(write(f"{header}\n{TRUTH}"))


def test_headers_of_person_boxes(write: Write) -> None:
    start = "video,time,x1,y1,x2,y2"
    assert len(read_boxes(write(f"{start},score,person_id\n{BOX},1,1\n"))) == 1
    assert len(read_boxes(write(f"{start},label,score\n{BOX},1,1\n"))) == 1
    with pytest.raises(FormatError, match="column 8 of the header is 'entity_id', but person boxes files have score"):
        read_boxes(write(f"{start},label,entity_id\n{BOX},1,1\n"))


def test_first_line_that_is_neither_header_nor_row(write: Write) -> None:
    with pytest.raises(
        FormatError, match=r"line 1: 'a,b' has no number, .* none of its words is known; name the columns"
    ):
        read_excluded(write("a,b\nc,902\n"))


def parse_strictly(lines: list[str], layout: Layout) -> list[tuple[str, list[float]]] | None:
    try:
        split = [split_line(line, ",", "") for line in lines]
        return [parse_row(fields, layout, "") for fields in split if fields]
    except FormatError:
        return None


@given(
    st.one_of(LINES, st.lists(st.one_of(PLAIN, PLAIN, PLAIN, FIELDS), min_size=1, max_size=4)), LAYOUTS, st.booleans()
)
@settings(max_examples=400, deadline=None)
def test_fast_parser_equals_the_strict_one_or_gives_none(lines: list[str], layout: Layout, final_newline: bool) -> None:
    block = parse_fast(("\n".join(lines) + "\n" * final_newline).encode(), ",", layout)
    if block is None:
        return
    expected = parse_strictly(lines, layout)
    assert expected is not None
    assert [block.videos[code] for code in block.codes] == [video for video, _ in expected]
    numbers = np.column_stack([block.columns[name] for name in layout.columns[1:]])
    assert np.array_equal(numbers, np.array([row for _, row in expected]), equal_nan=True)


@given(st.lists(st.floats(1e-300, 1e30), min_size=1, max_size=50))
@settings(deadline=None)
def test_fast_parser_reads_floats_exactly(values: list[float]) -> None:
    data = "".join(f"v,1,0,0,1,1,1,{value!r}\n" for value in values).encode()
    block = parse_fast(data, ",", DETECTIONS)
    assert block is not None
    assert block.columns["score"].tolist() == values


def test_fast_parser_reads_plain_lines() -> None:
    block = parse_fast(b"007,902.5,0.1,0.2,0.3,0.4,12,0.5\n007,903,0,0,1,1,80,0.25", ",", DETECTIONS)
    assert block is not None
    assert (block.videos, block.codes.tolist()) == (["007"], [0, 0])
    assert block.columns["timestamp"].tolist() == [902.5, 903.0]
    assert np.isnan(block.columns["person_id"]).all()


def test_fast_parser_refuses_rows_of_two_widths() -> None:
    assert parse_fast(b"a,902\na,902,0,0,1,1,2\n", ",", GROUND_TRUTH) is None
    assert parse_fast(b"a,902,0,0,1,1,2,3\na,902,0,0,1,1,2\n", ",", GROUND_TRUTH) is None
    assert parse_fast(b"a,902,0,0,1,1,2,3,4\na,902,0,0,1,1,2\n", ",", GROUND_TRUTH) is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0 0.5 0.5 0.2 0.4 0.9", "this is a line of a YOLO label file, of which detect_actions takes the folder"),
        ("a 902 0.5 0.5 0.2 0.4", "separate columns by commas or tabs"),
        ("1,3,794.2,47.5,71.2,174.8,1,-1,-1,-1", "this is a line of a MOT file, frame,id,left,top,width,height"),
        ("a,902,0.1,0.2,0.3,0.4,12,0.9,3", "give a list of person boxes, not a detections file"),
    ],
)
def test_boxes_of_other_tools_are_named(row: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_row(row.split(","), BOXES, "boxes.csv, line 1")
