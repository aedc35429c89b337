"""Reads the cells of a CSV: separators, header words, numbers and times as people and spreadsheets write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS, COLUMN_ALIASES

__all__ = [
    "ALIASES",
    "column_name",
    "has_number",
    "is_percent",
    "kind_of_time",
    "number",
    "read_cells",
    "seconds",
    "understood_words",
]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?%?", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+%?")
UNIT = re.compile(
    r"(?<=\w)([\s_]*[(\[]\s*(s|sec|secs|seconds|px|pixels?|%|percent|pct)\s*[)\]]|[\s_]*(px|pixels|%|percent|pct))$"
)
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d*)?)")
SIZES = {
    "width": {"w", "width", "bbox_width", "bbox_w", "box_width", "box_w"},
    "height": {"h", "height", "bbox_height", "bbox_h", "box_height", "box_h"},
    "x": {"x", "bbox_x", "box_x"},
    "y": {"y", "bbox_y", "box_y"},
    "cx": {"cx", "xc", "x_center", "center_x", "x_centre", "centre_x", "xcenter"},
    "cy": {"cy", "yc", "y_center", "center_y", "y_centre", "centre_y", "ycenter"},
}
MAX_COLUMNS, MAX_CELLS = 2000, 50_000_000
FRAMES = {"frame", "frame_index", "frame_id", "frame_number", "frame_no", "frame_num", "frame_idx", "frameid", "frames"}
OFFSETS = {"offset", "origin", "time_origin", "time_offset", "timestamp_offset", "video_offset", "video_start"}
ALIASES: Mapping[str, set[str]] = {
    **COLUMN_ALIASES,
    "action_id": COLUMN_ALIASES["action_id"] | {"tag", "tags", "event", "doing"},
    "frame": FRAMES,
    "offset": OFFSETS,
    **SIZES,
}


def read_cells(data: bytes, path: Path) -> pd.DataFrame:
    """All cells as text, without empty rows; the index is the line in the file, counted from 0.

    Columns are separated by commas, semicolons or tabs. Decimal commas become points unless commas separate. Raises
    ValueError for other encodings than UTF-8 and UTF-16, and for unmatched quotes.
    """
    text = _decoded(data, path)
    is_empty = f"{path} is empty; give a table with one row per person and action"
    if not text.strip():
        raise ValueError(is_empty)
    stated = re.match(r"\s*sep=(.)\r?\n", text)  # Excel's first line
    separator = stated[1] if stated else _separator(text.lstrip().partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: dict[int, list[str]] = {}
    try:
        for cells in reader:
            rows[reader.line_num - 1] = [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ValueError(f"{path} is not a valid CSV file (line {reader.line_num}: {error})") from None
    if stated:
        del rows[min(rows)]
    width = max(map(len, rows.values()), default=0)
    if width > MAX_COLUMNS or width * len(rows) > MAX_CELLS:
        raise ValueError(f"{path} has {width:,} columns and {len(rows):,} rows, more than a table of boxes")
    filled = {line: cells + [""] * (width - len(cells)) for line, cells in rows.items() if any(cells)}
    if not filled:
        raise ValueError(is_empty)
    table = pd.DataFrame(list(filled.values()), index=list(filled), dtype=object)
    if separator == ",":
        return table
    return table.map(lambda cell: cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell)


def _decoded(data: bytes, path: Path) -> str:
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not a valid CSV file (byte {error.start} is not UTF-8); save it as CSV UTF-8"
        ) from None


def _separator(line: str) -> str:
    """A tab or a semicolon, if the line has one and it does not separate less than commas do."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    return next(
        (sign for sign in "\t;" if unquoted.count(sign) > 1), "," if "," in unquoted else "\t" if "\t" in line else ";"
    )


def column_name(cell: str) -> str:
    """The column that a header's word means, or the word itself in one spelling; a known unit is not part of it."""
    word = re.sub(r"[\s\-]+", "_", UNIT.sub("", cell.strip().lower()).strip())
    return next((name for name, known in ALIASES.items() if word in known - {"id"}), word)


def is_percent(cell: str) -> bool:
    """Whether a header's word says that its column holds percents."""
    return re.search(r"%|percent|pct", cell.lower()) is not None


def has_number(cells: pd.Series) -> bool:
    """Whether a line holds a number or a time: otherwise it is a header."""
    return any(NUMBER.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell) or CLOCK.fullmatch(cell) for cell in cells)


def number(cell: str) -> float:
    """The number in a cell, with or without a percent sign; NaN if it is none."""
    return float(cell.rstrip("%")) if NUMBER.fullmatch(cell) else np.nan


def seconds(cell: str) -> float:
    """Seconds, or a clock time such as 00:01:02.5, in seconds; NaN if the cell is neither."""
    text = re.sub(r"\s*(s|sec|seconds?)$", "", cell, flags=re.IGNORECASE)
    clock = CLOCK.fullmatch(text)
    if clock is None:
        return number(text) if not text.endswith("%") else np.nan
    hours, minutes, rest = clock.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest.replace(",", "."))


def kind_of_time(cell: str) -> str:
    """What a time that `seconds` does not read is, for messages."""
    if DECIMAL_COMMA.fullmatch(cell):
        return "a number with a decimal comma in a file with commas"
    if re.fullmatch(r"\d+:\d+:\d+[:;]\d+", cell):
        return "a timecode with frames"
    if re.fullmatch(r"[\d.]+\s*(ms|msec|milliseconds)", cell, re.IGNORECASE):
        return "in milliseconds"
    return "missing" if not cell else "a text"


def understood_words() -> str:
    """The words that headers may use, for messages."""
    names = ("video", "timestamp", "frame", *BOX_COLUMNS, "action_id", "person_id")
    return "; ".join(f"{name}: {', '.join(sorted(ALIASES[name] - {name})[:6])}" for name in names)
