"""What every classification benchmark comes down to: labelled stretches of videos."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.datasets.keyframes import ClassNames
from avdet.datasets.tables import read_lines

__all__ = [
    "Intervals",
    "Segments",
    "class_indices",
    "class_list",
    "foreign_classes",
    "keep_valid",
    "once_each",
    "spelled",
    "unlabelled",
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


def keep_valid(segments: Segments, good: NDArray[np.bool_], fault: str) -> tuple[Segments, list[str]]:
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
    return keep_valid(segments, ~again, f"list a clip again{f', {other:,} of them with another label' * (other > 0)}")


def in_both(train: Segments, val: Segments, files: Mapping[str, Path]) -> list[str]:
    """A sentence, where clips, or seconds of one file, are learned from and tested. files: of `videos`."""
    both = set(train.ids) & set(val.ids)
    if both:
        return [f"{len(both):,} clips are in train and in val, such as {min(both)}; take them out of one"]
    learned, tested = (
        pd.DataFrame({"file": [files.get(name) for name in one.videos], "row": np.arange(len(one))})
        .dropna()
        .groupby("file")["row"]
        for one in (train, val)
    )
    shared = learned.groups.keys() & tested.groups.keys()
    meet = [row for file in shared for row in _meeting(train, val, learned.get_group(file), tested.get_group(file))]
    if not meet:
        return []
    first = min(meet)
    return [
        f"{len(meet):,} clips of val are seconds that train learns from, such as {val.ids[first]} of "
        f"{files[val.videos[first]]}; take them out of one"
    ]


def _meeting(train: Segments, val: Segments, learned: pd.Series, tested: pd.Series) -> list[int]:
    """The rows of val that share seconds with one of train's, both of one file."""
    rows = learned.to_numpy()[np.argsort(train.start_s[learned], kind="stable")]
    reach = np.maximum.accumulate(train.end_s[rows])
    before = np.searchsorted(train.start_s[rows], val.end_s[tested])  # of train's, that begin before it ends
    meets = (before > 0) & (reach[before - 1] > val.start_s[tested])
    return tested.to_numpy()[meets].tolist()


def unlabelled(segments: Segments) -> list[str]:
    """A sentence for each class set of which nobody knows the labels of all clips, as in a challenge's test split."""
    missing = {name: column < 0 for name, column in segments.labels.items() if column.ndim == 1}
    return [
        f"no clip has a label of the set {name}, which is not scored"
        if rows.all()
        else f"{rows.sum():,} of {len(rows):,} clips have no label of the set {name} (first: {segments.ids[rows][0]}), "
        "and are not scored by it"
        for name, rows in missing.items()
        if rows.any()
    ]


def spelled(name: str) -> str:
    """One spelling of a class name: lists write spaces or underscores, capitals or none."""
    return re.sub(r"[\s_\-/,.'\"()]+", " ", name).strip().casefold()


def class_list(path: Path) -> ClassNames:
    """Classes from a text file with a name a line; the line's number is the id, from 0."""
    names = [line.strip('"') for line in read_lines(path)]
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.get(spelled(name))) is not None:
            raise ValueError(f"{path} names one class twice, as {other!r} and {name!r}; remove one of them")
        seen[spelled(name)] = name
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
