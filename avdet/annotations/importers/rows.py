"""What all importers share: the videos that annotations refer to, and rows of normalised boxes and times in seconds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from ava_eval.csv_format import MISSING_ID
from avdet.datasets.video_files import VIDEO_SUFFIXES
from avdet.media.media_file import frame_times
from avdet.media.video_reader import VideoReader

__all__ = ["ROW_COLUMNS", "VideoIndex", "clean_rows", "finite_numbers", "rows_from_records"]

ROW_COLUMNS = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action", "person_id"]
MAX_TIME_S = 1e6  # eleven days
CLIP_TOLERANCE = 0.01  # boxes may exceed the frame by this fraction without being counted
NO_PERSON = MISSING_ID["person_id"]
MISSING_VALUES = {"", "NA", "N/A", "<NA>", "NaN", "nan", "None", "NULL", "null"}  # as tables are exported
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class VideoIndex:
    """The video files that annotations refer to, by file name with or without suffix."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = paths
        self._references: dict[str, set[PurePosixPath]] = defaultdict(set)

    def find(self, reference: str, source: Path) -> str:
        """Returns the video's name (its file name without suffix) for a name or path in an annotation file.

        Raises ValueError if there is no such file, or if two references (a/3.mp4, b/3.mp4) lead to the same file.
        """
        path = PurePosixPath(reference.replace("\\", "/"))
        video = path.name if path.name in self.paths else path.stem
        if video not in self.paths:
            known = ", ".join(sorted(self.paths)[:3]) or "none"
            raise ValueError(
                f"{source} refers to the video {reference!r}, which is not in --videos (found: {known}, ...)"
            )
        other = next((known for known in self._references[video] if not _may_be_same_file(known, path)), None)
        if other is not None:
            raise ValueError(
                f"{source} refers to the videos {reference!r} and {str(other)!r}, which would both be {video} of "
                "--videos; rename one of them, the file and its annotations, or write both alike if they are the same"
            )
        self._references[video].add(path)
        return video

    @cache  # noqa: B019  (lives as long as the import)
    def frame_size(self, video: str) -> tuple[int, int]:
        """(width, height) in pixels, as displayed."""
        with VideoReader(self.paths[video]) as reader:
            return reader.info.width, reader.info.height

    def frame_time(self, video: str, frame: object, source: str | Path) -> float:
        """Returns the time in seconds of a frame, counted from 0. Raises ValueError if the video has no such frame."""
        times_s = self._frame_times(video)
        (number,) = finite_numbers([frame], 1, f"{source}: a box's frame")
        if not (number.is_integer() and 0 <= number < len(times_s)):
            raise ValueError(
                f"{source} has a box on frame {frame} of {video}, which has {len(times_s)} frames, counted from 0; "
                "check that the annotations belong to this version of the video"
            )
        return float(times_s[int(number)])

    @cache  # noqa: B019
    def _frame_times(self, video: str) -> NDArray[np.float64]:
        return frame_times(self.paths[video])


def _may_be_same_file(path: PurePosixPath, other: PurePosixPath) -> bool:
    """Compares the path components that both have: 3, 3.mp4 and a/3.mp4 may be the same file."""
    ends = [one.with_suffix("") if one.suffix.lower() in VIDEO_SUFFIXES else one for one in (path, other)]
    shared = min(len(end.parts) for end in ends)
    return ends[0].parts[-shared:] == ends[1].parts[-shared:]


def finite_numbers(values: object, count: int, description: str) -> list[float]:
    """Converts the values to floats. Raises ValueError unless there are `count` of them, all finite."""
    try:
        numbers = [float(value) for value in values]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        plural = "s" * (count > 1)
        raise ValueError(
            f"{description} is {str(values)[:60]}, not {count} finite number{plural}; correct or remove it"
        )
    return numbers


def rows_from_records(records: Iterable[Mapping[str, Any]], source: Path, omitted: Counter[str]) -> pd.DataFrame:
    """Returns records with the keys ROW_COLUMNS as a table; see `clean_rows`."""
    return clean_rows(pd.DataFrame(list(records), columns=ROW_COLUMNS), source, omitted)


def clean_rows(table: pd.DataFrame, source: Path, omitted: Counter[str]) -> pd.DataFrame:
    """Clips boxes to the frame, omits boxes without area there and converts person ids to names.

    Raises ValueError for swapped corners, invalid action names, person ids and times.
    """
    table[BOX_COLUMNS] = table[BOX_COLUMNS].astype(float)
    table["action"] = table["action"].astype(str).str.strip()
    times_s = table["timestamp"].astype(float)
    _require_valid(table, times_s, source)
    exceeds_frame = ((table[BOX_COLUMNS] < -CLIP_TOLERANCE) | (table[BOX_COLUMNS] > 1.0 + CLIP_TOLERANCE)).any(axis=1)
    omitted["box parts outside the frame"] += int(exceeds_frame.sum())
    table[BOX_COLUMNS] = table[BOX_COLUMNS].clip(0.0, 1.0)
    has_area = (table["x1"] < table["x2"]) & (table["y1"] < table["y2"])
    omitted["rows without a box in the frame"] += int((~has_area).sum())
    return table.assign(timestamp=times_s.round(6), person_id=_person_names(table["person_id"], source))[has_area]


def _require_valid(table: pd.DataFrame, times_s: pd.Series, source: Path) -> None:
    def where(rows: pd.DataFrame) -> str:
        return f"video {rows['video'].iloc[0]} at {rows['timestamp'].iloc[0]} s"

    swapped = table[(table["x1"] > table["x2"]) | (table["y1"] > table["y2"])]
    if len(swapped):
        raise ValueError(
            f"{source}: {where(swapped)} has a box whose first corner is not the upper left one ({len(swapped):,} such "
            "rows); write boxes as x1, y1, x2, y2"
        )
    unnamed = table[table["action"].str.contains(r"[\n\r]|^\d+[\s:,]|^[\d.]*$", regex=True)]
    if len(unnamed):
        raise ValueError(
            f"{source}: {unnamed['action'].iloc[0]!r} is not the name of an action ({where(unnamed)}); a name is one "
            "line of text without a leading number"
        )
    impossible = table[~times_s.between(0.0, MAX_TIME_S)]
    if len(impossible):
        raise ValueError(
            f"{source}: {where(impossible)} has a label; times are seconds from the video's start, at least 0: "
            "correct this row"
        )


def _person_names(person_ids: pd.Series, source: Path) -> pd.Series:
    """Person ids as text: "3" for 3.0 too, "" if unknown. Raises ValueError for numbers that are no id, such as 2.7."""
    names = person_ids.astype(str).str.strip().mask(person_ids.isna(), "")
    return names.map({name: _person_name(name, source) for name in names.unique()}).astype(str)


def _person_name(name: str, source: Path) -> str:
    """Drops the fraction .0, which exported columns with empty cells have."""
    if name in MISSING_VALUES:
        return ""
    if not NUMBER.fullmatch(name):
        return name
    number = float(name)
    if not number.is_integer() or number < NO_PERSON:
        raise ValueError(
            f"{source}: the person id {name} is not valid; write a whole number from 0 on, a name, or -1 if unknown"
        )
    return "" if number == NO_PERSON else str(int(number))
