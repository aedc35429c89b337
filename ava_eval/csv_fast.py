"""A block of uniform lines, read by pandas in one go; anything unusual is left to the strict reader."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pandas as pd

from ava_eval.csv_block import Block, FloatArray
from ava_eval.csv_layout import LARGEST, Layout
from ava_eval.csv_rows import parse_fields, split_line
from ava_eval.format_error import FormatError

# pandas 3.1 parses floats exactly and deprecates the option that made earlier releases do so.
_EXACT_BY_DEFAULT = tuple(int(part) for part in pd.__version__.split(".")[:2]) >= (3, 1)


def parse_uniform(data: bytes, separator: str, layout: Layout) -> Block | None:
    """Read lines that all have the same number of plain fields; None if they do not, or break any rule.

    The guards make a misreading impossible: no quotes, zero bytes or carriage returns; exactly as many
    separators as the rows need; no empty required field; and the first line read the same strictly (pandas
    would take a whole column of "True" as 1.0, or a first row with a column too many).
    """
    if b'"' in data or b"\x00" in data or b"\r" in data:
        return None
    first = data[: data.find(b"\n") + 1 or None].decode()
    try:
        fields = split_line(first, separator, "")
        video, numbers = parse_fields(fields, layout, "")
    except FormatError:
        return None
    width = first.count(separator) + 1
    names = layout.columns[:width]
    frame = _read(data, separator, names)
    if frame is None or data.count(separator.encode()) != len(frame) * (width - 1):
        return None
    missing = np.full(len(frame), np.nan)
    columns = {
        name: frame[name].to_numpy() if name in names else missing for name in layout.columns[1:]
    }  # the nan column is shared: nobody writes to it
    categories = [str(name) for name in frame["video"].cat.categories]
    codes = frame["video"].cat.codes.to_numpy().astype(np.int32)
    block = Block(categories, codes, columns)
    same = categories[codes[0]] == video and np.array_equal(
        [columns[name][0] for name in layout.columns[1:]], numbers, equal_nan=True
    )
    return block if same and _obeys(block, names, layout) else None


def _read(data: bytes, separator: str, names: tuple[str, ...]) -> pd.DataFrame | None:
    exact = {} if _EXACT_BY_DEFAULT else {"float_precision": "round_trip"}
    for video_type in ("category", str):  # categories that look like numbers lose their zeros: "00123"
        types = {"video": video_type, **dict.fromkeys(names[1:], "float64")}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", pd.errors.ParserWarning)  # the guards see what it warns of
                frame: pd.DataFrame = pd.read_csv(
                    io.BytesIO(data),
                    sep=separator,
                    header=None,
                    names=list(names),
                    dtype=types,
                    index_col=False,
                    keep_default_na=False,
                    na_values={name: [""] for name in names[1:]},
                    quoting=3,
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


def _obeys(block: Block, names: tuple[str, ...], layout: Layout) -> bool:
    """The rules of `csv_rows`, for all rows at once."""
    columns = block.columns
    for name in names[1:]:
        low = {"action_id": 1, "person_id": -1}.get(name, -LARGEST[name])
        if not _within(columns[name], low, LARGEST[name], layout.nullable(name), whole=name.endswith("_id")):
            return False
    if len(names) > 2 and (np.any(columns["x1"] > columns["x2"]) or np.any(columns["y1"] > columns["y2"])):
        return False
    return all(name and name == name.strip() and min(name) >= " " for name in block.videos)


def _within(values: FloatArray, low: float, high: float, nullable: bool, whole: bool) -> bool:
    if nullable:
        values = values[~np.isnan(values)]
    inside = np.all(np.isfinite(values)) and np.all(values >= low) and np.all(values <= high)
    return bool(inside and (not whole or np.all(values == np.rint(values))))
