"""The fast reader never reads a line otherwise than the strict one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ava_eval.csv_fast import parse_uniform
from ava_eval.csv_layout import BOXES, DETECTIONS, EXCLUDED, GROUND_TRUTH, Layout
from ava_eval.csv_rows import parse_fields, split_line
from ava_eval.format_error import FormatError

ODD = ["", " ", "nan", "inf", "-1", "0", "1", "True", "1e400", "1_0", "0x1", "1e5", "1.",
       ".5", "+1", "--1", "NA", "null", "٣",
       "1 2", "a", "'", "1d2", "1E-3", "99999999999", "1.5", "2\xa0", "-0.0", "00123", "1e", "\t1"]  # fmt: skip
FIELDS = st.one_of(
    st.sampled_from(["0.25", "0.5", "0.125", "1", "2", "12"]),
    st.sampled_from(ODD),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=10).map(",".join), min_size=1, max_size=4)
TIDY = st.sampled_from(["a,902,0.1,0.2,0.3,0.4,12,0.5", "b,903,0.1,0.2,0.3,0.4,1,1", "a,902", "00123,1,0,0,1,1,2,1"])
LAYOUTS = st.sampled_from([GROUND_TRUTH, DETECTIONS, BOXES, EXCLUDED])


def strictly(lines: list[str], layout: Layout) -> list[tuple[str, list[float]]] | None:
    try:
        split = [split_line(line, ",", "") for line in lines]
        return [parse_fields(fields, layout, "") for fields in split if fields]
    except FormatError:
        return None


@given(st.one_of(LINES, st.lists(st.one_of(TIDY, TIDY, TIDY, FIELDS), min_size=1, max_size=4)), LAYOUTS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_fast_is_strict_or_nothing(lines: list[str], layout: Layout, ends: bool) -> None:
    block = parse_uniform(("\n".join(lines) + "\n" * ends).encode(), ",", layout)
    if block is None:
        return
    expected = strictly(lines, layout)
    assert expected is not None
    assert [block.videos[code] for code in block.codes] == [video for video, _ in expected]
    numbers = np.column_stack([block.columns[name] for name in layout.columns[1:]])
    assert np.array_equal(numbers, np.array([row for _, row in expected]), equal_nan=True)


@given(st.lists(st.floats(1e-300, 1e30), min_size=1, max_size=50))
@settings(deadline=None)
def test_numbers_are_read_to_the_last_bit(values: list[float]) -> None:
    data = "".join(f"v,1,0,0,1,1,1,{value!r}\n" for value in values).encode()
    block = parse_uniform(data, ",", DETECTIONS)
    assert block is not None
    assert block.columns["score"].tolist() == values


def test_tidy_lines_are_read_fast() -> None:
    block = parse_uniform(b"007,902.5,0.1,0.2,0.3,0.4,12,0.5\n007,903,0,0,1,1,80,0.25", ",", DETECTIONS)
    assert block is not None
    assert (block.videos, block.codes.tolist()) == (["007"], [0, 0])
    assert block.columns["timestamp"].tolist() == [902.5, 903.0]
    assert np.isnan(block.columns["person_id"]).all()


def test_rows_of_two_widths_are_left_to_the_strict_reader() -> None:
    assert parse_uniform(b"a,902\na,902,0,0,1,1,2\n", ",", GROUND_TRUTH) is None
    assert parse_uniform(b"a,902,0,0,1,1,2,3\na,902,0,0,1,1,2\n", ",", GROUND_TRUTH) is None
    assert parse_uniform(b"a,902,0,0,1,1,2,3,4\na,902,0,0,1,1,2\n", ",", GROUND_TRUTH) is None
