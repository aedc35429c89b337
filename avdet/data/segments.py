"""What every classification benchmark comes down to: labelled stretches of videos."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.data.keyframes import ClassNames

__all__ = [
    "Intervals",
    "Segments",
    "class_indices",
    "class_list",
    "foreign_classes",
    "keep_sound",
    "numbers",
    "once_each",
    "read_csv",
    "read_lines",
    "read_table",
    "read_text",
    "spelled",
    "unlabelled",
    "whole_numbers",
]

Strings = NDArray[np.object_]
Seconds = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Intervals:
    """When each class is there: rows `first[k]` to `first[k + 1]` belong to segment k."""

    first: Labels
    classes: Labels
    start_s: Seconds
    end_s: Seconds

    def at(self, segment: int, start_s: float, end_s: float) -> Labels:
        """The classes with an interval that meets those seconds."""
        rows = slice(int(self.first[segment]), int(self.first[segment + 1]))
        there = (self.start_s[rows] < end_s) & (self.end_s[rows] > start_s)
        return np.unique(self.classes[rows][there])

    def select(self, keep: NDArray[np.bool_]) -> Intervals:
        counts = np.diff(self.first)
        rows = np.repeat(keep, counts)
        first = np.concatenate([[0], np.cumsum(counts[keep])])
        return Intervals(first, self.classes[rows], self.start_s[rows], self.end_s[rows])


@dataclass(frozen=True)
class Segments:
    """Stretches of videos in columns, so that a loader's workers share their memory.

    ids: the benchmark's own name of each row. videos: the name of its file. end_s: inf means to the video's end.
    labels: by class set (N,) class indices, -1 where nobody knows, or (N, C) multi-hot.
    intervals: of the multi-hot classes, where the benchmark says when each one happens.
    """

    ids: Strings
    videos: Strings
    start_s: Seconds
    end_s: Seconds
    labels: dict[str, Labels] = field(default_factory=dict)
    intervals: Intervals | None = None

    def __post_init__(self) -> None:
        assert len(self.ids) == len(self.videos) == len(self.start_s) == len(self.end_s)
        assert all(len(column) == len(self.ids) for column in self.labels.values())

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, keep: NDArray[np.bool_]) -> Segments:
        return replace(
            self,
            ids=self.ids[keep],
            videos=self.videos[keep],
            start_s=self.start_s[keep],
            end_s=self.end_s[keep],
            labels={name: column[keep] for name, column in self.labels.items()},
            intervals=None if self.intervals is None else self.intervals.select(keep),
        )

    def labels_at(self, index: int, start_s: float, end_s: float) -> dict[str, Labels]:
        """The labels of a clip of segment `index`: the whole segment's, unless each class has its own times."""
        labels = {name: column[index] for name, column in self.labels.items()}
        if self.intervals is not None:
            for name, row in labels.items():
                labels[name] = np.zeros_like(row)
                labels[name][self.intervals.at(index, start_s, end_s)] = 1
        return labels


def keep_sound(segments: Segments, good: NDArray[np.bool_], fault: str) -> tuple[Segments, list[str]]:
    """The good rows, and one sentence that counts the others: "3 of 9,668 rows FAULT (first: ID); left out"."""
    if good.all():
        return segments, []
    first = segments.ids[~good][0]
    return segments.select(good), [f"{(~good).sum():,} of {len(good):,} rows {fault} (first: {first}); left out"]


def once_each(segments: Segments) -> tuple[Segments, list[str]]:
    """Each id's first row, and one sentence that counts the others and those of them with other labels."""
    places, _ = pd.factorize(segments.ids)
    _, first = np.unique(places, return_index=True)
    again = np.ones(len(places), dtype=bool)
    again[first] = False
    changed = [column != column[first[places]] for column in segments.labels.values()]
    differ = [rows.any(axis=1) if rows.ndim > 1 else rows for rows in changed]
    other = int(np.any(differ, axis=0).sum()) if differ else 0
    return keep_sound(segments, ~again, f"list a clip again{f', {other:,} of them with another label' * (other > 0)}")


def unlabelled(segments: Segments) -> list[str]:
    """The class sets of which nobody knows a label, as in a challenge's test split."""
    return [name for name, column in segments.labels.items() if column.ndim == 1 and (column < 0).all()]


def read_text(path: Path) -> str:
    """With or without a byte order mark. Raises ValueError for what is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no UTF-8 text (byte {error.object[error.start]:#04x} at {error.start:,}); save it as UTF-8"
        ) from None


def read_lines(path: Path) -> list[str]:
    """The lines that are not blank."""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def read_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A csv with a header as strings, empty where empty. Raises ValueError where a column is missing."""
    table = read_csv(path, dtype=str, skipinitialspace=True)
    table.columns = table.columns.str.strip()
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]} (it has {', '.join(table.columns[:12])}); give the benchmark's own file"
        )
    return table


def read_csv(path: Path, **options: Any) -> pd.DataFrame:  # noqa: ANN401  (pandas')
    """pandas', empty where empty. Raises ValueError for a file that is none."""
    try:
        table = pd.read_csv(path, keep_default_na=False, encoding="utf-8-sig", **options)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty; give the file whole") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no readable csv in UTF-8: {' '.join(str(error).split())}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas then takes the first cells as names of rows
        raise ValueError(f"{path} has rows of more cells than its first line names columns; give the file whole")
    return table


def numbers(table: pd.DataFrame, column: str, path: Path) -> Seconds:
    """A column as numbers, nan where it is empty. Raises ValueError that names the first line that is none."""
    values = pd.to_numeric(table[column].replace("", "nan"), errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(np.isnan(values) & ~table[column].isin(["", "nan"]).to_numpy())
    if len(wrong):
        raise ValueError(f"{path}, line {wrong[0] + 2}: {column} is {table[column].iloc[wrong[0]]!r}, not a number")
    return values


def whole_numbers(table: pd.DataFrame, column: str, path: Path) -> list[int]:
    """A column of ids. Raises ValueError that names the first line that is none."""
    values = numbers(table, column, path)
    wrong = np.flatnonzero(values != np.round(values))  # what is empty too
    if len(wrong):
        raise ValueError(f"{path}, line {wrong[0] + 2}: {column} is {table[column].iloc[wrong[0]]!r}, not an id")
    return [int(value) for value in values]


def spelled(name: str) -> str:
    """One spelling of a class name: lists write spaces or underscores, capitals or none."""
    return re.sub(r"[\s_\-/,.'\"()]+", " ", name).strip().casefold()


def class_list(path: Path) -> ClassNames:
    """Classes from a text file with a name a line; the line's number is the id, from 0."""
    names = [line.strip('"') for line in read_lines(path)]
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(spelled(name), name)) is not name:
            raise ValueError(f"{path} names one class twice, as {other!r} and {name!r}; remove one of them")
    if not names:
        raise ValueError(f"{path} names no class; write one name a line")
    return ClassNames(tuple(range(len(names))), tuple(names))


def class_indices(names: Sequence[str], classes: ClassNames, path: Path) -> Labels:
    """Each name's index. Raises ValueError for a name that is no class, however it is spelled."""
    index: Mapping[str, int] = {spelled(name): i for i, name in enumerate(classes.names)}
    column = np.array([index.get(spelled(name), -1) for name in names], dtype=np.int64)
    if (column < 0).any():
        unknown = [name for name, i in zip(names, column, strict=True) if i < 0]
        raise foreign_classes(unknown, classes, path)
    return column


def foreign_classes(unknown: Sequence[str], classes: ClassNames, path: Path) -> ValueError:
    """What to raise for a file's rows of classes that are not known."""
    close = difflib.get_close_matches(unknown[0], classes.names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "add it to the list or give the list that belongs to the file"
    return ValueError(
        f"{path} has {len(set(unknown))} classes that the list of {len(classes)} does not know, in {len(unknown):,} "
        f"rows: {unknown[0]!r}; {hint}"
    )
