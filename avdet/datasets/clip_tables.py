"""Tables of clips with a header line: path,label; video,start,end,label; and BORIS's exports of events."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from avdet.datasets.class_names import ClassNames
from avdet.datasets.clip_rows import ClipRow, split_labels, video_of_cell

__all__ = ["Lines", "find_header", "read_clip_table"]

Lines = Sequence[tuple[int, str]]
"""Lines that are not blank, with their numbers in the file."""

PREAMBLE_LINES = 60  # BORIS writes the observation's description before the header
COLUMNS = {  # the most specific name first
    "video": "clip_path video_path file_path filepath path media_file_path media_file media_file_name file filename "
    "file_name video clip video_name clip_name video_id name id youtube_id source",
    "label": "label labels class classes class_name classname action actions behavior behaviour activity verb tag tags "
    "category target label_name label_id class_id action_id",
    "start": "start start_s start_(s) start_sec start_time time_start t_start begin from onset",
    "end": "end end_s end_(s) end_sec end_time time_end t_end stop stop_s stop_(s) stop_time to offset",
    "time": "time",
    "status": "status behavior_type",
}
POSITION = {word: (column, rank) for column, words in COLUMNS.items() for rank, word in enumerate(words.split())}


def find_header(lines: Lines) -> int | None:
    """The index of the header line, which names a video and a label; None if there is none."""
    return next((i for i, (_, line) in enumerate(lines[:PREAMBLE_LINES]) if _columns(_cells(line))), None)


def read_clip_table(lines: Lines, path: Path, classes: ClassNames) -> tuple[list[ClipRow], list[str]]:
    """The rows of a table from its header line on, and sentences on those that are skipped.

    Raises ValueError that names the line for an incomplete row and for a time that is none.
    """
    columns = _columns(_cells(lines[0][1]))
    rows = [(number, _complete(line, columns, path, number)) for number, line in lines[1:]]
    if "time" in columns and "status" in columns and "start" not in columns:
        return _events(rows, columns, _cells(lines[0][1]), path, classes)
    if ("start" in columns) != ("end" in columns):
        known, other = ("start", "end") if "start" in columns else ("end", "start")
        raise ValueError(f"{path} has a column {known}, but none for the {other}; add it, in seconds")
    clips: list[ClipRow] = []
    faulty: list[int] = []
    for number, cells in rows:
        span_s = None
        if "start" in columns:
            span_s = _time_s(cells, columns, "start", path, number), _time_s(cells, columns, "end", path, number)
            if not 0 <= span_s[0] < span_s[1]:
                faulty.append(number)
                continue
        labels = split_labels(cells[columns["label"]], classes)
        clips.append(ClipRow(number, video_of_cell(cells[columns["video"]]), labels, span_s))
    if not faulty:
        return clips, []
    return clips, [
        f"{len(faulty):,} of {len(rows):,} rows have no duration or start before 0 (first: line {faulty[0]}); skipped"
    ]


def _cells(line: str) -> list[str]:
    """The cells of a line, separated by tabs, semicolons, commas or spaces: the first kind that it has."""
    separator = next((sign for sign in "\t;," if sign in line), " ")
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True))


def _columns(cells: Sequence[str]) -> dict[str, int]:
    """The position of each known column; empty unless a video and a label are among them."""
    best: dict[str, tuple[int, int]] = {}
    for position, cell in enumerate(cells):
        word = re.sub(r"[\s\-]+", "_", cell.strip().strip('"#').strip().casefold())
        column, rank = POSITION.get(word, ("", 0))
        if column:
            best[column] = min(best.get(column, (rank, position)), (rank, position))
    found = {column: position for column, (_, position) in best.items()}
    return found if {"video", "label"} <= found.keys() else {}


def _complete(line: str, columns: Mapping[str, int], path: Path, number: int) -> list[str]:
    cells = _cells(line)
    if len(cells) <= max(columns.values()):
        raise ValueError(f"{path}, line {number}: {line!r} has fewer cells than the header line; complete the row")
    return cells


def _time_s(cells: Sequence[str], columns: Mapping[str, int], name: str, path: Path, number: int) -> float:
    """Seconds, also as h:mm:ss and with a decimal comma."""
    cell = cells[columns[name]].strip()
    try:
        *larger, seconds = cell.replace(",", ".").split(":")
        value = float(seconds) + sum(60 ** (len(larger) - i) * int(part) for i, part in enumerate(larger))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path}, line {number}: the {name} is {cell!r}, not a time; write seconds")
    return value


def _events(
    rows: Sequence[tuple[int, list[str]]], columns: Mapping[str, int], header: Sequence[str], path: Path,
    classes: ClassNames,
) -> tuple[list[ClipRow], list[str]]:  # fmt: skip
    """BORIS's tabular events: one row where a behaviour starts and one where it stops; points have no duration."""
    subject = next((i for i, cell in enumerate(header) if cell.strip().casefold() == "subject"), None)
    clips: list[ClipRow] = []
    started: dict[tuple[str, ...], tuple[int, float]] = {}
    points = 0
    for number, cells in rows:
        video, label = video_of_cell(cells[columns["video"]]), cells[columns["label"]].strip()
        key = (video, label, "" if subject is None else cells[subject])
        time_s, status = _time_s(cells, columns, "time", path, number), cells[columns["status"]].strip().casefold()
        if status.startswith("start"):
            started[key] = (number, time_s)
        elif status.startswith("stop") and key in started and started[key][1] < time_s:
            first, start_s = started.pop(key)
            clips.append(ClipRow(first, video, split_labels(label, classes), (start_s, time_s)))
        else:
            points += 1
    faults = [f"{points:,} events have no duration, such as points; skipped"] * bool(points)
    if started:
        number, _ = next(iter(started.values()))
        faults.append(f"{len(started):,} events start and never stop (first: line {number}); skipped")
    return clips, faults
