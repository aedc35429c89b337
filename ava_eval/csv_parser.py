"""Parses lines of AVA's CSV files: strictly, line by line, or fast, where all lines have the same plain form."""

from __future__ import annotations

import csv
import io
import math
import re
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import (
    BOXES,
    COLUMN_ALIASES,
    DETECTIONS,
    MAX_VALUES,
    UNSUPPORTED_WORDS,
    FormatError,
    Layout,
)

FloatArray = npt.NDArray[np.float64]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_QUOTED_CHARACTERS = 60
_NEXT_STEP = {"timestamp": "write seconds, such as 902 or 902.5", "action_id": "write the class's id in the label map"}
# pandas 3.1 parses floats exactly and deprecates the option that made earlier releases do so.
_EXACT_BY_DEFAULT = tuple(int(part) for part in pd.__version__.split(".")[:2]) >= (3, 1)


@dataclass
class Block:
    """Parsed lines: `codes` (rows,) index `videos`; `columns` hold the numbers, NaN for fields left out."""

    videos: list[str]
    codes: npt.NDArray[np.int32]
    columns: dict[str, FloatArray]


def quoted(text: str) -> str:
    """The value as quoted in messages, cut to 60 characters."""
    text = text.strip()
    return repr(text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS] + "...")


def raw_fields(line: str, separator: str, where: str) -> list[str]:
    """Split a line into fields, without stripping them."""
    if "\r" in line.rstrip("\r\n"):
        raise FormatError(f"{where}: {quoted(line)} holds a carriage return; save the file with LF or CRLF line ends.")
    try:
        rows = list(csv.reader([line.rstrip("\r\n")], delimiter=separator, strict=True))
    except csv.Error as error:
        raise FormatError(f"{where}: {quoted(line)} is not a CSV row ({error}); fix or remove this line.") from None
    return rows[0] if rows else []


def split_line(line: str, separator: str, where: str) -> list[str]:
    """Split a line into stripped fields and drop empty ones at its end; [] for a blank line."""
    fields = [field.strip() for field in raw_fields(line, separator, where)]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def is_header(fields: list[str], layout: Layout, where: str) -> bool:
    """Whether a file's first line names the columns: it has several fields, and none begins like a number.

    A name without a known meaning fits any column, if another name has one. Raises FormatError if none has, if a name
    means another column, or a quantity that no column holds.
    """
    names = [_normalised(field) for field in fields]
    if not any(names[1:]) or any(re.match(r"[-+.\d]", name) for name in names[1:]):
        return False
    if len(unknown_columns(fields)) == len(fields):
        raise FormatError(
            f"{where}: {quoted(','.join(fields))} has no number, so it is a header, but none of its words is known;"
            f" name the columns {layout.usage}, or with synonyms such as clip, time, xmin, label, track."
        )
    fitting, order = max((_count_fitting(names, order), order) for order in layout.orders)
    if fitting < len(names):
        expected = order[fitting] if fitting < len(order) else "nothing"
        raise FormatError(
            f"{where}: column {fitting + 1} of the header is {fields[fitting]!r}, but {layout.kind} files have"
            f" {expected} there; convert or reorder the columns to {layout.usage}."
        )
    return True


def has_names_column(fields: list[str], layout: Layout) -> bool:
    """Whether a header ends with the actions' names, beside a column of their ids: `.. action_id,score,.. action`."""
    named = [_normalised(field) in COLUMN_ALIASES["action_id"] for field in fields]
    return layout is DETECTIONS and len(fields) > layout.required and named[-1] and any(named[:-1])


def unknown_columns(fields: list[str]) -> list[str]:
    """The names in a header line that are no alias of any column."""
    return [field for field in fields if not any(_normalised(field) in aliases for aliases in COLUMN_ALIASES.values())]


def _normalised(field: str) -> str:
    return re.sub(r"[\s\-]+", "_", field.strip().lower())


def _count_fitting(names: list[str], order: tuple[str, ...]) -> int:
    """Number of names before the first that does not fit its column."""
    for index, name in enumerate(names):
        meanings = {column for column, aliases in COLUMN_ALIASES.items() if name in aliases}
        if meanings:
            fits = not meanings.isdisjoint(order[index : index + 1])
        else:
            fits = UNSUPPORTED_WORDS.isdisjoint(name.split("_"))
        if not fits:
            return index
    return len(names)


def parse_row(fields: list[str], layout: Layout, where: str) -> tuple[str, list[float]]:
    """Parse fields into the video and the numbers of the other columns, NaN for fields left out."""
    _check_width(fields, layout, where)
    video = fields[0]
    if not video or any(ord(character) < ord(" ") for character in video):
        raise FormatError(f"{where}: {quoted(video)} is not a video name; write the file's name without its suffix.")
    numbers = [_number(text, name, layout, where) for name, text in zip(layout.columns[1:], fields[1:], strict=False)]
    numbers += [math.nan] * (len(layout.columns) - 1 - len(numbers))
    if len(fields) > 2 and not layout.may_invert:
        _check_box(numbers[1:5], where)
    return video, numbers


def _check_width(fields: list[str], layout: Layout, where: str) -> None:
    width = len(fields)
    if width == 2 or layout.required <= width <= len(layout.columns):
        return
    columns = "1 column" if width == 1 else f"{width} columns"
    hint = layout.hint
    if width == 1:
        hint = "separate columns by commas or tabs"
        if layout is BOXES and 5 <= len(fields[0].split()) <= 7 and _are_numbers(fields[0].split()):
            hint = "this is a line of a YOLO label file, of which detect_actions takes the folder as --boxes"
    elif layout is BOXES and width in {9, 10} and _are_numbers(fields):
        hint = "this is a line of a MOT file, frame,id,left,top,width,height,..; convert it"
    elif layout is DETECTIONS and width == layout.required - 1:
        hint = "add the score column; detections without scores cannot be ranked"
    elif layout is BOXES and width > len(layout.columns):
        hint = "give a list of person boxes, not a detections file"
    raise FormatError(
        f"{where}: {columns} in {quoted(','.join(fields))}; {layout.kind} files have {layout.usage}: {hint}."
    )


def _are_numbers(texts: list[str]) -> bool:
    return all(_NUMBER.fullmatch(text) for text in texts)


def _number(text: str, name: str, layout: Layout, where: str) -> float:
    if not text and layout.is_nullable(name):
        return math.nan
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise FormatError(
            f"{where}: {name} is {quoted(text)}, not a finite number; {_NEXT_STEP.get(name, 'fix this field')}."
        )
    if abs(value) > MAX_VALUES[name]:
        unit = "; timestamps are in seconds" if name == "timestamp" else ""
        raise FormatError(f"{where}: {name} is {quoted(text)}, beyond {MAX_VALUES[name]:g}{unit}; fix this field.")
    if name in {"action_id", "person_id"}:
        _check_id(value, text, name, where)
    return value


def _check_id(value: float, text: str, name: str, where: str) -> None:
    if not value.is_integer():
        if name == "action_id":
            step = "the order is action_id, score"
        else:
            step = "if this column holds scores, the file is not a ground truth"
        raise FormatError(f"{where}: {name} is {quoted(text)}, not a whole number; {step}.")
    if name == "action_id" and value < 1:
        raise FormatError(
            f"{where}: action_id is {quoted(text)}, but ids start at 1; if yours start at 0, add 1 to all."
        )
    if name == "person_id" and value < -1:
        raise FormatError(f"{where}: person_id is {quoted(text)}; use 0 or more, or -1 for an unknown person.")


def _check_box(box: list[float], where: str) -> None:
    x1, y1, x2, y2 = box
    if x1 > x2 or y1 > y2:
        raise FormatError(
            f"{where}: box {x1:g},{y1:g},{x2:g},{y2:g} has x1 > x2 or y1 > y2; boxes are x1,y1,x2,y2 (corners),"
            " so convert it if it is x,y,width,height."
        )


def parse_strict(data: bytes, separator: str, layout: Layout, path: str, first_line: int) -> Block:
    """Parse lines one by one; FormatError names the file and the line. `first_line` is the number of the first."""
    videos: dict[str, int] = {}
    codes: list[int] = []
    rows: list[list[float]] = []
    for number, line in enumerate(data.decode().split("\n"), start=first_line):
        where = f"{path}, line {number}"
        if fields := split_line(line, separator, where):
            video, numbers = parse_row(fields, layout, where)
            codes.append(videos.setdefault(video, len(videos)))
            rows.append(numbers)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(layout.columns) - 1)
    columns = {name: table[:, index] for index, name in enumerate(layout.columns[1:])}
    return Block(list(videos), np.array(codes, dtype=np.int32), columns)


def parse_fast(data: bytes, separator: str, layout: Layout) -> Block | None:
    """Parse lines that all have the same number of plain fields with pandas; None if they do not, or break a rule.

    The result always equals `parse_strict`: the lines hold no quotes, zero bytes or carriage returns, exactly as
    many separators as the rows need, no empty required field, and the first line is also parsed strictly (pandas
    would read a whole column of "True" as 1.0, or accept a first row with a column too many).
    """
    if b'"' in data or b"\x00" in data or b"\r" in data:
        return None
    first = data[: data.find(b"\n") + 1 or None].decode()
    try:
        video, numbers = parse_row(split_line(first, separator, ""), layout, "")
    except FormatError:
        return None
    width = first.count(separator) + 1
    names = layout.columns[:width]
    frame = _read_csv(data, separator, names)
    if frame is None or data.count(separator.encode()) != len(frame) * (width - 1):
        return None
    missing = np.full(len(frame), np.nan)  # shared by all columns left out: no caller writes to it
    columns = {name: frame[name].to_numpy() if name in names else missing for name in layout.columns[1:]}
    categories = [str(name) for name in frame["video"].cat.categories]
    codes = frame["video"].cat.codes.to_numpy().astype(np.int32)
    block = Block(categories, codes, columns)
    same = categories[codes[0]] == video and np.array_equal(
        [columns[name][0] for name in layout.columns[1:]], numbers, equal_nan=True
    )
    return block if same and _is_valid(block, names, layout) else None


def _read_csv(data: bytes, separator: str, names: tuple[str, ...]) -> pd.DataFrame | None:
    exact = {} if _EXACT_BY_DEFAULT else {"float_precision": "round_trip"}
    for video_type in ("category", str):  # as categories, names such as "00123" lose their zeros
        types = {"video": video_type, **dict.fromkeys(names[1:], "float64")}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", pd.errors.ParserWarning)  # the caller counts the separators
                frame: pd.DataFrame = pd.read_csv(
                    io.BytesIO(data),
                    sep=separator,
                    header=None,
                    names=list(names),
                    dtype=types,
                    index_col=False,
                    keep_default_na=False,
                    na_values={name: [""] for name in names[1:]},
                    quoting=csv.QUOTE_NONE,
                    **exact,  # type: ignore[call-overload]
                )
        except (ValueError, OverflowError):  # pandas' ParserError is a ValueError
            return None
        if len(frame) == 0:
            return None
        if video_type is str:
            frame["video"] = frame["video"].astype("category")
        if not pd.api.types.is_numeric_dtype(frame["video"].cat.categories.dtype):
            return frame
    return frame


def _is_valid(block: Block, names: tuple[str, ...], layout: Layout) -> bool:
    """Apply the rules of `parse_row` to all rows at once."""
    columns = block.columns
    for name in names[1:]:
        low = {"action_id": 1, "person_id": -1}.get(name, -MAX_VALUES[name])
        if not _within(columns[name], low, MAX_VALUES[name], layout.is_nullable(name), whole=name.endswith("_id")):
            return False
    has_boxes = len(names) > 2 and not layout.may_invert
    if has_boxes and (np.any(columns["x1"] > columns["x2"]) or np.any(columns["y1"] > columns["y2"])):
        return False
    return all(name and name == name.strip() and min(name) >= " " for name in block.videos)


def _within(values: FloatArray, low: float, high: float, nullable: bool, whole: bool) -> bool:
    if nullable:
        values = values[~np.isnan(values)]
    inside = np.all(np.isfinite(values)) and np.all(values >= low) and np.all(values <= high)
    return bool(inside and (not whole or np.all(values == np.rint(values))))
