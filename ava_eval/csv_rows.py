"""One line of an AVA file, read strictly: every rule of the form, and the sentence for each breach."""

from __future__ import annotations

import csv
import math
import re

from ava_eval.csv_layout import BOXES, DETECTIONS, HEADER_NAMES, KEYFRAME_COLUMNS, LARGEST, OTHER_QUANTITIES, Layout
from ava_eval.format_error import FormatError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SHOWN_CHARACTERS = 60
_NEXT_STEP = {"timestamp": "write seconds, such as 902 or 902.5", "action_id": "write the class's id in the label map"}


def split_line(line: str, separator: str, where: str) -> list[str]:
    """Stripped fields without the empty ones at the end; [] for a blank line."""
    fields = [field.strip() for field in raw_fields(line, separator, where)]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def raw_fields(line: str, separator: str, where: str) -> list[str]:
    """The fields as they stand, empty ones too."""
    if "\r" in line.rstrip("\r\n"):
        raise FormatError(f"{where}: {shown(line)} holds a carriage return; save the file with LF or CRLF line ends.")
    try:
        rows = list(csv.reader([line.rstrip("\r\n")], delimiter=separator, strict=True))
    except csv.Error as error:
        raise FormatError(f"{where}: {shown(line)} is not a CSV row ({error}); mend or remove this line.") from None
    return rows[0] if rows else []


def is_header(fields: list[str], layout: Layout, where: str) -> bool:
    """Whether a file's first line names its columns; FormatError if it names others, or in another order.

    A name that nobody knows is taken for the column in whose place it stands.
    """
    names = [_plain(field) for field in fields]
    if any(_NUMBER.fullmatch(name) for name in names):
        return False
    if not any(name in HEADER_NAMES[key] for name, key in zip(names, KEYFRAME_COLUMNS, strict=False)):
        return False
    place, order = max((_columns_that_fit(names, order), order) for order in layout.orders)
    if place < len(names):
        expected = order[place] if place < len(order) else "nothing"
        raise FormatError(
            f"{where}: the header's column {place + 1} is {fields[place]!r}, where {layout.kind} files have"
            f" {expected}; convert or order the columns as {layout.form}."
        )
    return True


def unknown_names(fields: list[str]) -> list[str]:
    """Those of a header's names that are known for no column."""
    return [field for field in fields if not any(_plain(field) in aliases for aliases in HEADER_NAMES.values())]


def _plain(field: str) -> str:
    return re.sub(r"[\s\-]+", "_", field.strip().lower())


def _columns_that_fit(names: list[str], order: tuple[str, ...]) -> int:
    """How many names there are before the first that says another column or quantity than the order."""
    for place, name in enumerate(names):
        known = {column for column, aliases in HEADER_NAMES.items() if name in aliases}
        fits = not known.isdisjoint(order[place : place + 1]) if known else OTHER_QUANTITIES.isdisjoint(name.split("_"))
        if not fits:
            return place
    return len(names)


def parse_fields(fields: list[str], layout: Layout, where: str) -> tuple[str, list[float]]:
    """The row's video and its numbers in the layout's order, nan where a field is left out."""
    _check_width(fields, layout, where)
    video = fields[0]
    if not video or any(ord(character) < ord(" ") for character in video):
        raise FormatError(f"{where}: {shown(video)} is no video name; write the file's name without its suffix.")
    numbers = [_number(text, name, layout, where) for name, text in zip(layout.columns[1:], fields[1:], strict=False)]
    numbers += [math.nan] * (len(layout.columns) - 1 - len(numbers))
    if len(fields) > 2:
        _check_box(numbers[1:5], where)
    return video, numbers


def _check_width(fields: list[str], layout: Layout, where: str) -> None:
    width = len(fields)
    if (layout.keyframe_rows and width == 2) or layout.required <= width <= len(layout.columns):
        return
    columns = "1 column" if width == 1 else f"{width} columns"
    hint = layout.hint
    if width == 1:
        hint = "columns are separated by commas or tabs"
    elif layout is DETECTIONS and width == layout.required - 1:
        hint = "the score column is missing, and without scores detections cannot be ranked"
    elif layout is BOXES and width > len(layout.columns):
        hint = "a detections file is not a list of person boxes"
    raise FormatError(
        f"{where}: {columns} in {shown(','.join(fields))}; {layout.kind} files have {layout.form}: {hint}."
    )


def _number(text: str, name: str, layout: Layout, where: str) -> float:
    if not text and layout.nullable(name):
        return math.nan
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise FormatError(
            f"{where}: {name} is {shown(text)}, not a finite number; {_NEXT_STEP.get(name, 'mend this field')}."
        )
    if abs(value) > LARGEST[name]:
        meant = "; times are seconds" if name == "timestamp" else ""
        raise FormatError(f"{where}: {name} is {shown(text)}, beyond {LARGEST[name]:g}{meant}; mend this field.")
    if name in {"action_id", "person_id"}:
        _check_id(value, text, name, where)
    return value


def _check_id(value: float, text: str, name: str, where: str) -> None:
    if not value.is_integer():
        if name == "action_id":
            step = "the order is action_id, score"
        else:
            step = "if this column holds scores, the file is no ground truth"
        raise FormatError(f"{where}: {name} is {shown(text)}, not a whole number; {step}.")
    if name == "action_id" and value < 1:
        raise FormatError(
            f"{where}: action_id is {shown(text)}, but ids start at 1; if yours start at 0, add 1 to all."
        )
    if name == "person_id" and value < -1:
        raise FormatError(f"{where}: person_id is {shown(text)}; use 0 and up, or -1 for nobody.")


def _check_box(box: list[float], where: str) -> None:
    x1, y1, x2, y2 = box
    if x1 > x2 or y1 > y2:
        raise FormatError(
            f"{where}: box {x1:g},{y1:g},{x2:g},{y2:g} has x1 > x2 or y1 > y2; boxes are x1,y1,x2,y2 (corners),"
            " so convert it if it is x,y,width,height."
        )


def shown(text: str) -> str:
    """A value as quoted in messages, cut where it is long."""
    text = text.strip()
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")
