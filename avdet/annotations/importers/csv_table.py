"""Reads a plain CSV: one row per person and action, actions by name or id, boxes normalised or in pixels."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from ava_eval.csv_format import COLUMN_ALIASES, PIXEL_THRESHOLD
from avdet.annotations.importers.rows import ROW_COLUMNS, VideoIndex, clean_rows

__all__ = ["read_csv_table"]

FRAME_ALIASES = {"frame", "frame_index", "frame_id", "frame_number"}
AVA_COLUMNS = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "person_id"]


def read_csv_table(
    data: bytes, path: Path, videos: VideoIndex, label_map: Mapping[int, str], omitted: Counter[str]
) -> pd.DataFrame:
    """Columns have any of the names that `ava_eval` knows, or AVA's order if there is no header line.

    Boxes are normalised, or in pixels where a coordinate is far above 1. A column `frame`, counted from 0, may replace
    the timestamp. `label_map` names action ids. Raises ValueError that names what is missing.
    """
    table = _with_column_names(_read_text(data, path), path)
    omitted["rows without an action"] += int(table["action_id"].isna().sum())
    table = table[table["action_id"].notna()]
    video = table["video"].map({name: videos.find(str(name), path) for name in table["video"].unique()})
    times_s = _times(table, video, videos, path)
    boxes = table[BOX_COLUMNS].apply(pd.to_numeric, errors="coerce")
    is_finite = np.isfinite(boxes.assign(time=times_s).astype(float)).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            f"{path}, line {_first_line(~is_finite)}: the time or box is not a finite number; correct this row"
        )
    boxes = _normalised(boxes, video, videos, path)
    actions = _action_names(table["action_id"], label_map, path)
    person_ids = table["person_id"] if "person_id" in table else _ids_or_nothing(table, omitted)
    rows = boxes.assign(video=video, timestamp=times_s, action=actions, person_id=person_ids)
    return clean_rows(rows[ROW_COLUMNS], path, omitted)


def _read_text(data: bytes, path: Path) -> pd.DataFrame:
    """All cells as text, without empty rows; the index is the line in the file, counted from 0."""
    is_empty = f"{path} is empty; give a table with one row per person and action"
    if not data.strip():
        raise ValueError(is_empty)
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
        raise ValueError(f"{path} is not a valid CSV file ({' '.join(str(error).split())})") from None
    table = table.replace(r"^\s*$", np.nan, regex=True).dropna(how="all")
    if table.empty:
        raise ValueError(is_empty)
    return table


def _with_column_names(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    header = [re.sub(r"[\s\-]+", "_", str(cell).strip().lower()) for cell in table.iloc[0]]
    aliases = {**COLUMN_ALIASES, "frame": FRAME_ALIASES}
    names = [next((name for name, known in aliases.items() if cell in known - {"id"}), cell) for cell in header]
    if "video" in names:
        table = table.iloc[1:].set_axis(names, axis=1)
    else:
        table = table.set_axis([*AVA_COLUMNS, *map(str, range(20))][: table.shape[1]], axis=1)
    duplicates = table.columns[table.columns.duplicated()]
    if len(duplicates):
        raise ValueError(f"{path} has two columns for {duplicates[0]} ({', '.join(header)}); remove one of them")
    missing = [name for name in ("video", *BOX_COLUMNS, "action_id") if name not in table]
    if "timestamp" not in table and "frame" not in table:
        missing.append("timestamp or frame")
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(missing)} (it has {', '.join(header)}); name it in a header line"
        )
    return table


def _times(table: pd.DataFrame, video: pd.Series, videos: VideoIndex, path: Path) -> pd.Series:
    if "timestamp" in table:
        return pd.to_numeric(table["timestamp"], errors="coerce")
    frames = zip(table.index, video, table["frame"], strict=True)
    times_s = [videos.frame_time(name, frame, f"{path}, line {row + 1}") for row, name, frame in frames]
    return pd.Series(times_s, table.index)


def _ids_or_nothing(table: pd.DataFrame, omitted: Counter[str]) -> pd.Series:
    """The column `id`, unless it numbers the rows: then each action of a person would be a person of its own."""
    if "id" in table and not table["id"].is_unique:
        return table["id"]
    omitted["row numbers (column id)"] += len(table) if "id" in table else 0
    return pd.Series("", table.index)


def _normalised(boxes: pd.DataFrame, video: pd.Series, videos: VideoIndex, path: Path) -> pd.DataFrame:
    in_pixels = boxes.max(axis=1) > PIXEL_THRESHOLD
    if not in_pixels.any():
        return boxes
    has_area = (boxes["x1"] < boxes["x2"]) & (boxes["y1"] < boxes["y2"])
    is_normalised = (boxes.abs().max(axis=1) <= PIXEL_THRESHOLD) & has_area
    if is_normalised.any():
        raise ValueError(
            f"{path}, line {_first_line(is_normalised)}: the box {_first_box(boxes, is_normalised)} is normalised, but "
            f"the box of line {_first_line(in_pixels)}, {_first_box(boxes, in_pixels)}, is in pixels; write all boxes "
            "in one of the two"
        )
    sizes = pd.DataFrame([videos.frame_size(name) * 2 for name in video], columns=boxes.columns, index=boxes.index)
    return boxes / sizes


def _first_line(selected: pd.Series) -> int:
    return int(selected.index[selected][0]) + 1


def _first_box(boxes: pd.DataFrame, selected: pd.Series) -> str:
    return ",".join(f"{number:g}" for number in boxes[selected].to_numpy()[0])


def _action_names(actions: pd.Series, label_map: Mapping[int, str], path: Path) -> list[str]:
    if not actions.str.fullmatch(r"\s*\d+(\.0+)?\s*").all():
        return [str(action).strip() for action in actions]
    ids = actions.astype(float).astype(int)
    unknown = sorted(set(ids) - label_map.keys())
    if unknown:
        raise ValueError(f"{path} has the action id {unknown[0]}, which has no name; give the names with --label-map")
    return [label_map[action_id] for action_id in ids]
