"""Reads a table of actions without boxes: who does what from when to when. The boxes are those of another file.

video,person,start,end,action          seconds
person,start_frame,end_frame,action    frame numbers as in the file of the boxes
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ava_eval import BOX_COLUMNS
from avdet.annotations.importers.attributes import Choice, action_values
from avdet.annotations.importers.csv_cells import column_name, has_number, number, read_cells, seconds
from avdet.annotations.importers.video_index import VideoIndex

__all__ = ["Interval", "actions_during", "is_interval_table", "read_intervals"]

STARTS = {"start", "start_s", "start_time", "start_sec", "begin", "from", "onset"}
ENDS = {"end", "end_s", "end_time", "end_sec", "stop", "to", "offset"}
FIRST_FRAMES = {"start_frame", "frame_start", "first_frame", "begin_frame"}
LAST_FRAMES = {"end_frame", "frame_end", "last_frame", "stop_frame"}


@dataclass(frozen=True)
class Interval:
    """An action of a person in a video, both ends included; "" stands for any video. `in_frames` gives the unit."""

    video: str
    person: str
    start: float
    end: float
    action: str
    in_frames: bool


def actions_during(
    intervals: Iterable[Interval], video: str, person: str, time_s: float, frame: int | None
) -> list[str]:
    """The actions of a person at a time. Raises ValueError if intervals are in frames that the boxes' file has not."""
    actions = []
    for interval in intervals:
        if interval.in_frames and frame is None:
            raise ValueError("the table of actions has frame numbers, but the boxes' file has none; write seconds")
        place = float(frame) if interval.in_frames and frame is not None else time_s
        if interval.person == person and interval.video in {"", video} and interval.start <= place <= interval.end:
            actions.append(interval.action)
    return actions


def is_interval_table(data: bytes, path: Path) -> bool:
    """Whether the header names an action, a person and a start or a frame, but no box."""
    first = data[:10_000].splitlines()
    if not first:
        return False
    table = read_cells(first[0], path)
    names = {_name(cell) for cell in table.iloc[0]}
    return (
        not has_number(table.iloc[0])
        and {"action_id", "person_id"} <= names
        and bool(names & {"start", "first", "frame"})
        and not names & {*BOX_COLUMNS, "x", "y", "width", "cx"}
    )


def read_intervals(
    data: bytes, path: Path, videos: VideoIndex, choice: Choice, omitted: Counter[str]
) -> list[Interval]:
    """Returns one interval per row and action; a row with one time or frame lasts for it alone.

    Raises ValueError for a value that is no number, and for an end before its start.
    """
    cells = read_cells(data, path)
    table = cells.iloc[1:].set_axis([_name(cell) for cell in cells.iloc[0]], axis=1)
    in_frames = "start" not in table
    first = next(name for name in ("start", "first", "frame") if name in table)
    last = next((name for name in ("end", "last") if name in table), first)
    read = number if in_frames else seconds
    intervals = []
    for line, row in table.to_dict("index").items():
        start, end = read(row[first]), read(row[last])
        if not (math.isfinite(start) and math.isfinite(end) and start <= end):
            raise ValueError(
                f"{path}, line {int(str(line)) + 1}: {row[first]!r} to {row[last]!r} is no interval of "
                f"{'frames' if in_frames else 'seconds'}; correct this row"
            )
        video = videos.find(row["video"], path) if row.get("video") else ""
        for action in action_values("the action", [row["action_id"]], (), choice, omitted):
            intervals.append(Interval(video, row["person_id"], start, end, action, in_frames))
    return intervals


def _name(cell: str) -> str:
    word = cell.strip().lower().replace(" ", "_")
    kinds = {"start": STARTS, "end": ENDS, "first": FIRST_FRAMES, "last": LAST_FRAMES, "person_id": {"id"}}
    return next((name for name, words in kinds.items() if word in words), column_name(cell))
