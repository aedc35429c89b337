"""Tables from anywhere, held to what the readers promise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ava_eval.csv_layout import BOX_COLUMNS, LARGEST, Layout
from ava_eval.csv_rows import shown
from ava_eval.format_error import FormatError


def check_table(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """The table with `video` categorical; FormatError if a column is missing or a value breaks the form."""
    if not isinstance(table, pd.DataFrame):
        raise FormatError(
            f"the {layout.kind} is {shown(str(table))}, no table; use ava_eval's read functions on files."
        )
    missing = [name for name in layout.columns[: layout.required] if name not in table]
    if missing:
        raise FormatError(
            f"the {layout.kind} table has no column {missing[0]!r}, only {', '.join(map(str, table.columns))};"
            f" name its columns {layout.form}."
        )
    _refuse(table["video"].isna().to_numpy(), table, layout, "video", "a video's name")
    if not isinstance(table["video"].dtype, pd.CategoricalDtype):
        table = table.assign(video=table["video"].astype(str).astype("category"))
    _check_finite(table, layout)
    if "action_id" in layout.columns:
        _check_boxes(table, layout)
    return table


def _check_finite(table: pd.DataFrame, layout: Layout) -> None:
    listed = table["action_id"].to_numpy() == 0 if "action_id" in table else np.zeros(len(table), dtype=bool)
    for name in [name for name in layout.columns[1:] if name in table]:
        values = table[name].to_numpy()
        if not np.issubdtype(values.dtype, np.number):
            raise FormatError(f"the {layout.kind} table's {name} column holds {values.dtype}; make it numbers.")
        if name not in layout.columns[: layout.required]:
            continue
        bad = ~(np.abs(values) <= LARGEST[name])  # nan too
        if layout.keyframe_rows and name != "timestamp" and "score" not in layout.columns:
            bad &= ~listed
        _refuse(bad, table, layout, name, f"a number up to {LARGEST[name]:g}")


def _check_boxes(table: pd.DataFrame, layout: Layout) -> None:
    x1, y1, x2, y2 = (table[name].to_numpy() for name in BOX_COLUMNS)
    _refuse(x1 > x2, table, layout, "x1", "up to x2; boxes are corners")
    _refuse(y1 > y2, table, layout, "y1", "up to y2; boxes are corners")
    ids = table["action_id"].to_numpy()
    _refuse(ids != np.rint(ids), table, layout, "action_id", "a whole number")
    no_class = (ids < 1) & ~np.isnan(x1)
    _refuse(no_class, table, layout, "action_id", "1 or more; if your ids start at 0, add 1 to all")


def _refuse(bad: np.ndarray, table: pd.DataFrame, layout: Layout, name: str, rule: str) -> None:
    if bad.any():
        place = int(np.argmax(bad))
        value = table[name].to_numpy()[place]
        raise FormatError(f"row {place} of the {layout.kind} table has {name} {value}; it must be {rule}.")


def check_ids(ground_truth: pd.DataFrame, detections: pd.DataFrame, label_map: Mapping[int, str]) -> None:
    """FormatError if not one action id of a table is in the label map."""
    known = np.array(list(label_map))
    for kind, table in (("ground truth", ground_truth), ("detections", detections)):
        ids = table["action_id"].unique()
        ids = np.sort(ids[ids != 0])
        if len(ids) and not np.isin(ids, known).any():
            raise FormatError(
                f"no action id of the {kind} ({_range(ids)}) is in the label map ({_range(known)});"
                " give the label map that these ids belong to."
            )


def _range(ids: np.ndarray) -> str:
    return f"{ids.min()}" if len(ids) == 1 else f"{len(ids)} ids from {ids.min()} to {ids.max()}"
