"""EPIC-Kitchens-55 and -100: verbs and nouns of stretches of long, untrimmed videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.datasets.keyframes import ClassNames
from avdet.datasets.segments import Labels, Segments, Strings, keep_valid
from avdet.datasets.tables import line_of, numbers, read_table, whole_numbers

__all__ = ["epic_classes", "id_column", "participants", "read_class_ids", "read_epic", "read_participants"]


def epic_classes(path: Path) -> ClassNames:
    """EPIC_*_{verb,noun}_classes.csv: 125 verbs and 352 nouns in EPIC-55, 97 and 300 in EPIC-100."""
    table = read_table(path, ())
    keys = "key" if "key" in table else "class_key"
    if keys not in table:
        raise ValueError(f"{path} has no column key or class_key; give EPIC's own list of classes")
    ids = whole_numbers(table, table.columns[0], path)
    if not ids or len(set(ids)) < len(ids):
        fault = f"gives id {max(ids, key=ids.count)} to two classes" if ids else "names no class"
        raise ValueError(f"{path} {fault}; give EPIC's own list of classes")
    names = table[keys].tolist()
    if len(set(names)) < len(names):
        raise ValueError(f"{path} names two classes {max(names, key=names.count)!r}; give EPIC's own list of classes")
    return ClassNames.from_label_map(dict(zip(ids, names, strict=True)))


def read_epic(path: Path, classes: dict[str, ClassNames]) -> tuple[Segments, list[str]]:
    """Rows with start and stop times; classes are asked for by "verb" and "noun", and -1 in files without labels.

    The second list counts rows that are left out, in sentences.
    """
    table = read_table(path, ("video_id", "start_timestamp", "stop_timestamp"))
    start_s, end_s = (_seconds(table, f"{edge}_timestamp", path) for edge in ("start", "stop"))
    labels = {name: _labels(table, name, names, path) for name, names in classes.items()}
    ids = table[id_column(table, path)].to_numpy(object)
    segments = Segments(ids, table["video_id"].to_numpy(object), start_s, end_s, labels)
    timed = np.isfinite(start_s) & np.isfinite(end_s)
    segments, untimed = keep_valid(segments, timed, "have no time")
    segments, backward = keep_valid(segments, segments.end_s > segments.start_s, "end before they start")
    return segments, untimed + backward


def participants(segments: Segments) -> Strings:
    """P01 of P01_11: who cooked."""
    return np.array([video.split("_")[0] for video in segments.videos], object)


def id_column(table: pd.DataFrame, path: Path) -> str:
    """narration_id in EPIC-100, uid in EPIC-55."""
    for name in ("narration_id", "uid"):
        if name in table:
            return name
    raise ValueError(f"{path} has neither a column narration_id nor uid; give EPIC's own file")


def read_class_ids(path: Path, columns: Sequence[str]) -> set[tuple[int, ...]]:
    """The classes that a file of tail or many-shot classes lists, e.g. (verb_class, noun_class)."""
    table = read_table(path, ())
    names = [name if name in table else name.removesuffix("_class") for name in columns]
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]}; give EPIC's own list")
    return set(zip(*(whole_numbers(table, name, path) for name in names), strict=True))


def read_participants(path: Path) -> list[str]:
    """The file of participants whom training did not see."""
    return [str(name).strip() for name in read_table(path, ("participant_id",))["participant_id"]]


def _labels(table: pd.DataFrame, name: str, classes: ClassNames, path: Path) -> Labels:
    column = f"{name}_class"
    if column not in table:
        return np.full(len(table), -1, np.int64)
    ids = numbers(table, column, path)
    index = pd.Index(classes.ids).get_indexer(pd.Index(ids))
    wrong = np.flatnonzero((index < 0) & ~np.isnan(ids))
    if len(wrong):
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {ids[wrong[0]]:g}, which is none of the list's "
            f"{len(classes)} classes, {min(classes.ids)} to {max(classes.ids)} ({len(wrong):,} such rows); "
            "give the list of the same release"
        )
    return index.astype(np.int64)


def _seconds(table: pd.DataFrame, column: str, path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """00:01:02.50 -> 62.5; nan where the cell is empty."""
    parts = table[column].str.extract(r"^(\d+):(\d\d?):(\d\d?(?:\.\d*)?)$").astype(float)
    seconds = parts.to_numpy() @ np.array([3600.0, 60.0, 1.0])
    wrong = np.flatnonzero(np.isnan(seconds) & (table[column] != "").to_numpy())
    if len(wrong):
        value = table[column].iloc[wrong[0]]
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {value!r}; EPIC writes times as 00:01:02.50"
        )
    return seconds
