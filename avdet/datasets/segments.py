"""Labelled segments of videos: the common form of every classification benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Intervals", "Segments", "drop_duplicate_ids", "find_overlap", "keep_valid", "unlabelled_segments"]

Strings = NDArray[np.object_]
Seconds = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Intervals:
    """Start and end of each action: rows `first[k]` to `first[k + 1]` belong to segment k."""

    first: Labels
    classes: Labels
    start_s: Seconds
    end_s: Seconds

    def at(self, segment: int, start_s: float, end_s: float) -> Labels:
        """The classes whose intervals overlap those seconds of the segment."""
        rows = slice(int(self.first[segment]), int(self.first[segment + 1]))
        overlaps = (self.start_s[rows] < end_s) & (self.end_s[rows] > start_s)
        return np.unique(self.classes[rows][overlaps])

    def select(self, keep: NDArray[np.bool_]) -> Intervals:
        """The intervals of the segments where `keep` is true."""
        counts = np.diff(self.first)
        rows = np.repeat(keep, counts)
        first = np.concatenate([[0], np.cumsum(counts[keep])])
        return Intervals(first, self.classes[rows], self.start_s[rows], self.end_s[rows])


@dataclass(frozen=True)
class Segments:
    """N segments in columns, so that loader workers share their memory.

    ids: the benchmark's own name of each segment. videos: the name of its video file. end_s: inf is the video's end.
    labels: per class set (N,) class indices, -1 if unknown, or (N, C) multi-hot.
    intervals: start and end of each action of multi-hot labels, if the benchmark gives them.
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

    @classmethod
    def whole_videos(cls, names: Strings, labels: dict[str, Labels], intervals: Intervals | None = None) -> Segments:
        """One segment per video, from its start to its end."""
        return cls(names, names, np.zeros(len(names)), np.full(len(names), np.inf), labels, intervals)

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, keep: NDArray[np.bool_]) -> Segments:
        """The segments where `keep` is true."""
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
        """Labels of a clip of segment `index`: the segment's, or those of the overlapping intervals."""
        labels = {name: column[index] for name, column in self.labels.items()}
        if self.intervals is not None:
            for name, row in labels.items():
                labels[name] = np.zeros_like(row)
                labels[name][self.intervals.at(index, start_s, end_s)] = 1
        return labels


def keep_valid(segments: Segments, valid: NDArray[np.bool_], fault: str) -> tuple[Segments, list[str]]:
    """The valid rows, and a sentence that counts the others: "3 of 9,668 rows FAULT (first: ID); skipped"."""
    if valid.all():
        return segments, []
    first = segments.ids[~valid][0]
    return segments.select(valid), [f"{(~valid).sum():,} of {len(valid):,} rows {fault} (first: {first}); skipped"]


def drop_duplicate_ids(segments: Segments) -> tuple[Segments, list[str]]:
    """The first row of each id, and a sentence that counts the others and those with a different label."""
    row_of_id, _ = pd.factorize(segments.ids)
    _, first = np.unique(row_of_id, return_index=True)
    repeated = np.ones(len(row_of_id), dtype=bool)
    repeated[first] = False
    differs = [column != column[first[row_of_id]] for column in segments.labels.values()]
    differs = [rows.any(axis=1) if rows.ndim > 1 else rows for rows in differs]
    relabelled = int(np.any(differs, axis=0).sum()) if differs else 0
    fault = "repeat an id"
    return keep_valid(segments, ~repeated, fault + f", {relabelled:,} of them with another label" * (relabelled > 0))


def find_overlap(train: Segments, val: Segments, files: Mapping[str, Path]) -> str | None:
    """A sentence if train and val share clips or seconds of a file, else None. files: by the names in `videos`."""
    shared_ids = set(train.ids) & set(val.ids)
    if shared_ids:
        return f"{len(shared_ids):,} clips are in both train and val, such as {min(shared_ids)}; remove them from one"
    train_rows, val_rows = (
        pd.DataFrame({"file": [files.get(name) for name in split.videos], "row": np.arange(len(split))})
        .dropna()
        .groupby("file")["row"]
        for split in (train, val)
    )
    shared_files = train_rows.groups.keys() & val_rows.groups.keys()
    overlapping = [
        row
        for file in shared_files
        for row in _overlapping(train, val, train_rows.get_group(file), val_rows.get_group(file))
    ]
    if not overlapping:
        return None
    first = min(overlapping)
    return (
        f"{len(overlapping):,} clips of val overlap training clips in time, such as {val.ids[first]} of "
        f"{files[val.videos[first]]}; remove them from one"
    )


def _overlapping(train: Segments, val: Segments, train_rows: pd.Series, val_rows: pd.Series) -> list[int]:
    """The rows of val that overlap one of train's in time; all of one file."""
    rows = train_rows.to_numpy()[np.argsort(train.start_s[train_rows], kind="stable")]
    latest_end_s = np.maximum.accumulate(train.end_s[rows])
    num_before = np.searchsorted(train.start_s[rows], val.end_s[val_rows])  # train rows that start before val's end
    overlaps = (num_before > 0) & (latest_end_s[num_before - 1] > val.start_s[val_rows])
    return val_rows.to_numpy()[overlaps].tolist()


def unlabelled_segments(segments: Segments) -> list[str]:
    """A sentence per class set that has segments without a label, such as a challenge's test split."""
    unknown = {name: column < 0 for name, column in segments.labels.items() if column.ndim == 1}
    return [
        f"no clip has a {name} label, so {name} is not scored"
        if rows.all()
        else f"{rows.sum():,} of {len(rows):,} clips have no {name} label (first: {segments.ids[rows][0]}) and are not "
        "scored by it"
        for name, rows in unknown.items()
        if rows.any()
    ]
