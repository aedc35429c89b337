"""Converts the boxes of a table to fractions of the frame: from pixels or percents, from corners or sizes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS
from ava_eval.csv_format import PIXEL_THRESHOLD
from avdet.annotations.importers.csv_cells import is_percent, number
from avdet.annotations.importers.rows import Context

__all__ = ["boxes_in_fractions"]

TOLERANCE = 1.01
EXCEEDED = 1.05  # of the frame: no box is drawn so far outside


def boxes_in_fractions(table: pd.DataFrame, header: Mapping[str, str], path: Path, context: Context) -> pd.DataFrame:
    """Returns x1, y1, x2, y2 as fractions of the frame and reports the unit.

    Boxes are percents if a header says so, or if none exceeds 100 and one exceeds its frame in pixels; they are
    x, y, width, height if columns say so, or if corners would be swapped and sizes fit the frame.
    """
    names = _box_columns(table)
    numbers = table[names].map(number).astype(float).set_axis(BOX_COLUMNS, axis=1)
    is_finite = pd.Series(np.isfinite(numbers).all(axis=1), table.index)
    if not is_finite.all():
        wrong = numbers[~is_finite].iloc[0]
        name = next(name for name, value in zip(names, wrong, strict=True) if not np.isfinite(value))
        cell = table.loc[~is_finite, name].iloc[0]
        raise ValueError(
            f"{path}, line {_line(~is_finite)}: {header.get(name, name)} is {cell!r}, not a finite number; correct "
            "this row"
        )
    if table.empty:
        return numbers
    numbers = _corners(numbers, names)
    has_sign = bool(table[names].map(is_percent).all(axis=None))
    words = [header.get(name, name) for name in names]
    unit = _unit(table, numbers, ["%"] if has_sign else words, path, context)
    sizes = _sizes(table, context) if unit == "pixels" else pd.DataFrame(1.0, table.index, BOX_COLUMNS)
    boxes = numbers / (sizes if unit != "percents" else 100.0)
    form = "x, y, width, height" if names[2:] == ["width", "height"] and names[0] != "cx" else "x1, y1, x2, y2"
    form = "centre, width, height" if names[0] == "cx" else form
    if form == "x1, y1, x2, y2" and (swapped := (boxes["x1"] > boxes["x2"]) | (boxes["y1"] > boxes["y2"])).any():
        moved = boxes.assign(x2=boxes["x1"] + boxes["x2"], y2=boxes["y1"] + boxes["y2"])
        if _largest(moved) <= TOLERANCE and (boxes >= 0).to_numpy().all():
            boxes = moved
            form = f"x, y, width, height ({int(swapped.sum()):,} would have swapped corners otherwise)"
    doubt = _largest(numbers) <= 100 and unit == "pixels" and context.box_unit is None
    context.note(
        f"{path.name}: boxes are {form} in {unit} (largest number {_largest(numbers):g})"
        + "; if they are percents, give --box-unit percents" * bool(doubt)
    )
    if unit == "pixels" and (exceeding := int((boxes > EXCEEDED).any(axis=1).sum())):
        context.note(
            f"{path.name}: {exceeding:,} of {len(boxes):,} boxes exceed their video's frame; if they were drawn on "
            "images of another size, divide them by it"
        )
    return boxes


def _box_columns(table: pd.DataFrame) -> list[str]:
    if {"x2", "y2"} <= set(table.columns):
        return ["x1" if "x1" in table else "x", "y1" if "y1" in table else "y", "x2", "y2"]
    if {"cx", "cy"} <= set(table.columns):
        return ["cx", "cy", "width", "height"]
    return ["x1" if "x1" in table else "x", "y1" if "y1" in table else "y", "width", "height"]


def _corners(numbers: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """x1, y1, x2, y2 of boxes that columns describe by their size."""
    if names[2] != "width":
        return numbers
    share = 0.5 if names[0] == "cx" else 0.0
    x1, y1 = numbers["x1"] - share * numbers["x2"], numbers["y1"] - share * numbers["y2"]
    return pd.DataFrame({"x1": x1, "y1": y1, "x2": x1 + numbers["x2"], "y2": y1 + numbers["y2"]})


def _unit(table: pd.DataFrame, numbers: pd.DataFrame, words: list[str], path: Path, context: Context) -> str:
    if context.box_unit is not None:
        return context.box_unit
    if any(map(is_percent, words)):
        return "percents"
    is_large = numbers.max(axis=1) > PIXEL_THRESHOLD
    if not is_large.any():
        return "fractions"
    has_area = (numbers["x1"] < numbers["x2"]) & (numbers["y1"] < numbers["y2"])
    is_small = (numbers.abs().max(axis=1) <= PIXEL_THRESHOLD) & has_area
    in_percents = _largest(numbers) <= 100 * TOLERANCE and _largest(numbers / _sizes(table, context)) > TOLERANCE
    if in_percents:
        return "percents"
    if is_small.any():
        raise ValueError(
            f"{path}, line {_line(is_small)}: the box {_box(numbers, is_small)} is normalised, but the box of line "
            f"{_line(is_large)}, {_box(numbers, is_large)}, is in pixels; write all boxes in one of the two"
        )
    return "pixels"


def _sizes(table: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Width and height twice: of the image, where columns beside the corners give it, or of the video."""
    if {"width", "height", "x2"} <= set(table.columns):
        width, height = (table[name].map(number) for name in ("width", "height"))
        if ((width > 0) & (height > 0)).all():
            return pd.DataFrame({"x1": width, "y1": height, "x2": width, "y2": height})
    sizes = [context.videos.frame_size(name) * 2 for name in table["video"]]
    return pd.DataFrame(sizes, table.index, BOX_COLUMNS)


def _largest(boxes: pd.DataFrame) -> float:
    return float(boxes.to_numpy(dtype=float).max())


def _line(selected: pd.Series) -> int:
    return int(selected.index[selected][0]) + 1


def _box(boxes: pd.DataFrame, selected: pd.Series) -> str:
    return ",".join(f"{value:g}" for value in boxes[selected].to_numpy()[0])
