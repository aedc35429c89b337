"""A plain CSV with a header line: one row a person and action, actions by name or id, boxes as shares or pixels."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval.csv_format import COLUMN_ALIASES, PIXEL_THRESHOLD
from avdet.annotations.importers.rows import COLUMNS, Videos, cleaned

__all__ = ["read_table"]

_CONTENT = "give a table with a row a person and action"
FRAME = {"frame", "frame_index", "frame_id", "frame_number"}
AVA = ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"]


def read_table(
    data: bytes, path: Path, videos: Videos, label_map: Mapping[int, str], left_out: Counter[str]
) -> pd.DataFrame:
    """Columns by the names that `ava_eval` knows, or AVA's order where there is no header line.

    Boxes are shares of the frame, or pixels where any coordinate is far beyond 1.

    A column `frame` (from 0 on) may stand for the time. Ids in the column of actions are looked up in `label_map`.
    Raises ValueError that names what is missing.
    """
    table = _with_columns(data, path)
    left_out["rows without an action"] += int(table["action_id"].isna().sum())
    table = table[table["action_id"].notna()]
    video = table["video"].map({name: videos.name_of(str(name), path) for name in table["video"].unique()})
    if "timestamp" in table:
        times = pd.to_numeric(table["timestamp"], errors="coerce")
    else:
        frames = zip(table.index, video, table["frame"], strict=True)
        times = pd.Series(
            [videos.time_of(name, frame, f"{path}, line {row + 1}") for row, name, frame in frames], table.index
        )
    boxes = table[["x1", "y1", "x2", "y2"]].apply(pd.to_numeric, errors="coerce")
    finite = np.isfinite(boxes.assign(time=times).astype(float)).all(axis=1)
    if not finite.all():
        raise ValueError(f"{path}, line {_line(~finite)}: a time or box is no finite number; mend this row")
    boxes = _as_shares(boxes, video, videos, path)
    rows = boxes.assign(video=video, timestamp=times, action=_names(table["action_id"], label_map, path))
    rows["person_id"] = table["person_id"] if "person_id" in table else _ids(table, left_out)
    return cleaned(rows[COLUMNS], path, left_out)


def _ids(table: pd.DataFrame, left_out: Counter[str]) -> pd.Series:
    """Of people, from a column `id`, unless it numbers the rows: every action of a person would be another person's."""
    if "id" in table and not table["id"].is_unique:
        return table["id"]
    left_out["numbers of rows (column id)"] += len(table) if "id" in table else 0
    return pd.Series("", table.index)


def _as_shares(boxes: pd.DataFrame, video: pd.Series, videos: Videos, path: Path) -> pd.DataFrame:
    in_pixels = boxes.max(axis=1) > PIXEL_THRESHOLD
    if not in_pixels.any():
        return boxes
    has_extent = (boxes["x1"] < boxes["x2"]) & (boxes["y1"] < boxes["y2"])
    in_shares = (boxes.abs().max(axis=1) <= PIXEL_THRESHOLD) & has_extent
    if in_shares.any():
        share, pixel = boxes[in_shares].iloc[:1], boxes[in_pixels].iloc[:1]
        raise ValueError(
            f"{path}, line {_line(in_shares)}: the box {_shown(share)} is in shares of the frame, but that of line "
            f"{_line(in_pixels)}, {_shown(pixel)}, in pixels; write all boxes in one of the two"
        )
    sizes = pd.DataFrame([videos.size(name) * 2 for name in video], columns=boxes.columns, index=boxes.index)
    return boxes / sizes


def _line(rows: pd.Series) -> int:
    """Where the first of them is."""
    return int(rows.index[rows][0]) + 1


def _shown(box: pd.DataFrame) -> str:
    return ",".join(f"{number:g}" for number in box.to_numpy().ravel())


def _with_columns(data: bytes, path: Path) -> pd.DataFrame:
    """As text, empty rows left out; a row's index is its line in the file, from 0 on."""
    if not data.strip():
        raise ValueError(f"{path} is empty; {_CONTENT}")
    try:
        table = pd.read_csv(
            io.BytesIO(data),
            sep=None,
            engine="python",
            dtype=str,
            skip_blank_lines=False,
            encoding="utf-8-sig",
            header=None,
            keep_default_na=False,
        )
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no readable CSV ({' '.join(str(error).split())})") from None
    table = table.replace(r"^\s*$", np.nan, regex=True).dropna(how="all")
    if table.empty:
        raise ValueError(f"{path} is empty; {_CONTENT}")
    first = [re.sub(r"[\s\-]+", "_", str(cell).strip().lower()) for cell in table.iloc[0]]
    names = [
        next((name for name, known in {**COLUMN_ALIASES, "frame": FRAME}.items() if cell in known - {"id"}), cell)
        for cell in first
    ]
    if "video" in names:
        table = table.iloc[1:].set_axis(names, axis=1)
    else:
        table = table.set_axis([*AVA, *map(str, range(20))][: table.shape[1]], axis=1)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(
            f"{path} has two columns that mean {twice[0]} ({', '.join(map(str, first))}); remove one of them"
        )
    missing = [name for name in ("video", "x1", "y1", "x2", "y2", "action_id") if name not in table]
    if "timestamp" not in table and "frame" not in table:
        missing.append("timestamp or frame")
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(missing)} (it has {', '.join(map(str, first))}); name it in a header line"
        )
    return table


def _names(actions: pd.Series, label_map: Mapping[int, str], path: Path) -> list[str]:
    if not actions.str.fullmatch(r"\s*\d+(\.0+)?\s*").all():
        return [str(action).strip() for action in actions]
    ids = actions.astype(float).astype(int)
    unknown = sorted(set(ids) - label_map.keys())
    if unknown:
        raise ValueError(
            f"{path} has the action id {unknown[0]}, whose name nobody knows; give --label-map with the names"
        )
    return [label_map[number] for number in ids]
