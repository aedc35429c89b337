"""Tables of ground truth, detections, person boxes and excluded keyframes: read from files, and checked.

Files are .csv or .csv.gz with commas or tabs, with or without a header line. In tables `video` is a categorical
column, `timestamp` is in float seconds, and boxes are corners x1, y1, x2, y2 as fractions of the frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from ava_eval.csv_format import (
    BOX_COLUMNS,
    BOXES,
    DETECTIONS,
    EXCLUDED,
    GROUND_TRUTH,
    MAX_VALUES,
    MISSING_ID,
    FormatError,
    Layout,
)
from ava_eval.csv_parser import quoted
from ava_eval.csv_reader import read_table, shown_name


def read_ground_truth(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, action_id, person_id, rows in the file's order.

    action_id 0 and a NaN box mark a row that only lists a keyframe without actions.
    person_id is -1 where the file has none.
    """
    return read_table(path, GROUND_TRUTH)


def read_detections(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, action_id, score, person_id, rows in the file's order.

    person_id is -1 where the file has none. Rows with only video,timestamp hold no detection and are left out.
    """
    table = read_table(path, DETECTIONS)
    _refuse_mostly_inverted(table, shown_name(Path(path)))
    has_box = table["action_id"].to_numpy() != MISSING_ID["action_id"]
    return table if has_box.all() else table[has_box].reset_index(drop=True)


def read_boxes(path: str | Path) -> pd.DataFrame:
    """Person boxes: columns video, timestamp, x1, y1, x2, y2, score, person_id, rows in the file's order.

    Rows of the file are video,timestamp,x1,y1,x2,y2[,score[,person_id]]; score is 1 and person_id -1 where left out.
    PySlowFast's predicted boxes (columns 7 and 8 are an action id or empty, and a score) are read too. They repeat a
    box for each of its labels; one row of each is kept.
    """
    table = read_table(path, BOXES)
    table = table[table["x1"].notna().to_numpy()].reset_index(drop=True)
    column7, column8 = table.pop("action_id_or_score"), table.pop("score_or_person_id")
    if _is_pyslowfast_format(column7.to_numpy(), column8.to_numpy(), path):
        table["score"], table["person_id"] = column8, MISSING_ID["person_id"]
        table = table.drop_duplicates(["video", "timestamp", *BOX_COLUMNS], ignore_index=True)
    else:
        table["score"], table["person_id"] = column7.fillna(1.0), column8.fillna(MISSING_ID["person_id"])
    table["person_id"] = table["person_id"].astype("int32")
    return table


def read_excluded(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp: keyframes excluded from the evaluation."""
    return read_table(path, EXCLUDED)


def _is_pyslowfast_format(column7: np.ndarray, column8: np.ndarray, path: str | Path) -> bool:
    """Whether columns 7 and 8 hold an action id and a score, not a score and a person id; FormatError if neither."""
    given7, given8 = column7[~np.isnan(column7)], column8[~np.isnan(column8)]
    is_whole7, is_whole8 = bool(np.all(given7 == np.rint(given7))), bool(np.all(given8 == np.rint(given8)))
    scores7, scores8 = bool(np.all((given7 >= 0) & (given7 <= 1))), bool(np.all((given8 >= 0) & (given8 <= 1)))
    if scores7 and is_whole8 and len(given7) >= len(given8):
        return False
    all_labelled, all_scored = len(given7) == len(column7), len(given8) == len(column8)
    # Whole numbers with a 0 among them are person ids: scores may all be 1, but not all 0 or 1.
    has_person_ids = all_labelled and is_whole8 and bool(np.any(given8 == 0))
    if is_whole7 and scores8 and all_scored and not has_person_ids:
        return True
    if is_whole7 and is_whole8 and all_labelled:
        raise FormatError(
            f"{path} seems to be a ground truth: column 7 holds action ids such as {given7.max():g}. Person boxes are"
            f" {BOXES.usage} with scores from 0 to 1; remove the action ids and write each box once."
        )
    raise FormatError(
        f"{path}: columns 7 and 8 are neither score,person_id (a score from 0 to 1, a whole number) nor"
        f" action_id,score (a score in every row); write person boxes as {BOXES.usage}."
    )


def check_table(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return the table with `video` categorical; FormatError if a column is missing or a value is out of range."""
    if not isinstance(table, pd.DataFrame):
        raise FormatError(
            f"the {layout.kind} is {quoted(str(table))}, not a table; read files with ava_eval's read functions."
        )
    missing = [name for name in layout.columns[: layout.required] if name not in table]
    if missing:
        raise FormatError(
            f"the {layout.kind} table has no column {missing[0]!r}, only {', '.join(map(str, table.columns))};"
            f" name its columns {layout.usage}."
        )
    _refuse(table["video"].isna().to_numpy(), table, layout, "video", "a video's name")
    if not isinstance(table["video"].dtype, pd.CategoricalDtype):
        table = table.assign(video=table["video"].astype(str).astype("category"))
    _check_range(table, layout)
    if layout.may_invert:
        _refuse_mostly_inverted(table, f"the {layout.kind} table")
    elif "action_id" in layout.columns:
        _refuse_inverted(table, layout)
    if "action_id" in layout.columns:
        _check_ids(table, layout)
    return table


def _check_range(table: pd.DataFrame, layout: Layout) -> None:
    without_box = table["action_id"].to_numpy() == 0 if "action_id" in table else np.zeros(len(table), dtype=bool)
    for name in [name for name in layout.columns[1:] if name in table]:
        values = table[name].to_numpy()
        if not np.issubdtype(values.dtype, np.number):
            raise FormatError(f"the {layout.kind} table's {name} column holds {values.dtype}; make it numeric.")
        if name not in layout.columns[: layout.required]:
            continue
        is_bad = ~(np.abs(values) <= MAX_VALUES[name])  # true for NaN
        if name != "timestamp" and "score" not in layout.columns:
            is_bad &= ~without_box
        _refuse(is_bad, table, layout, name, f"a number up to {MAX_VALUES[name]:g}")


def _refuse_inverted(table: pd.DataFrame, layout: Layout) -> None:
    x1, y1, x2, y2 = (table[name].to_numpy() for name in BOX_COLUMNS)
    _refuse(x1 > x2, table, layout, "x1", "up to x2; boxes are corners")
    _refuse(y1 > y2, table, layout, "y1", "up to y2; boxes are corners")


def _refuse_mostly_inverted(table: pd.DataFrame, source: str) -> None:
    """Raise FormatError if most boxes are inverted or without area, and some are inverted."""
    x1, y1, x2, y2 = (table[name].to_numpy() for name in BOX_COLUMNS)
    is_inverted = (x1 > x2) | (y1 > y2)
    if not is_inverted.any():
        return
    num_bad = int(np.sum(is_inverted | (x1 == x2) | (y1 == y2)))
    if num_bad > len(table) / 2:
        box = ",".join(f"{float(table[name].iloc[int(np.argmax(is_inverted))]):g}" for name in BOX_COLUMNS)
        raise FormatError(
            f"{source}: {num_bad:,} of {len(table):,} boxes have x1 >= x2 or y1 >= y2, such as {box}; boxes are"
            " x1,y1,x2,y2 (corners), so convert them if they are x,y,width,height."
        )


def _check_ids(table: pd.DataFrame, layout: Layout) -> None:
    ids = table["action_id"].to_numpy()
    _refuse(ids != np.rint(ids), table, layout, "action_id", "a whole number")
    no_class = (ids < 1) & ~np.isnan(table["x1"].to_numpy())
    _refuse(no_class, table, layout, "action_id", "1 or more; if your ids start at 0, add 1 to all")


def join_tables(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all parts of a data set, as the read functions return one file."""
    if len(tables) == 1:
        return tables[0]
    columns = {
        name: np.concatenate([table[name].to_numpy() for table in tables])
        for name in tables[0].columns
        if name != "video"
    }
    video = union_categoricals([table["video"] for table in tables])
    return pd.DataFrame({"video": video, **columns}, copy=False)


def _refuse(is_bad: np.ndarray, table: pd.DataFrame, layout: Layout, name: str, rule: str) -> None:
    if is_bad.any():
        row = int(np.argmax(is_bad))
        value = table[name].to_numpy()[row]
        raise FormatError(f"row {row} of the {layout.kind} table has {name} {value}; it must be {rule}.")


def check_ids(ground_truth: pd.DataFrame, detections: pd.DataFrame, label_map: Mapping[int, str]) -> None:
    """Raise FormatError if no action id of a table is in the label map."""
    known = np.array(list(label_map))
    for kind, table in (("ground truth", ground_truth), ("detections", detections)):
        ids = table["action_id"].unique()
        ids = np.sort(ids[ids != 0])
        if len(ids) and not np.isin(ids, known).any():
            raise FormatError(
                f"no action id of the {kind} ({_id_range(ids)}) is in the label map ({_id_range(known)});"
                " give the label map of these ids."
            )


def _id_range(ids: np.ndarray) -> str:
    return f"{ids.min()}" if len(ids) == 1 else f"{len(ids)} ids from {ids.min()} to {ids.max()}"
