"""Kinetics-400, -600 and -700, Kinetics-Sounds, and lists of `path label` as PySlowFast reads them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from avdet.datasets.keyframes import ClassNames
from avdet.datasets.segments import Segments, class_indices, class_list, keep_valid
from avdet.datasets.tables import numbers, read_table, read_text
from avdet.datasets.video_files import VideoFiles, find_video, name_of
from avdet.datasets.videos import VIDEO_SUFFIXES

__all__ = ["only_classes", "read_kinetics", "subset_classes"]

COLUMNS = ("label", "youtube_id", "time_start", "time_end")
SUFFIX = "|".join(re.escape(suffix) for suffix in sorted(VIDEO_SUFFIXES))
PATH_LABEL = re.compile(rf"(.+?(?:{SUFFIX})\"?)\s*[\s,]\s*(.+)", re.IGNORECASE)  # the label may have blanks
NAME_LABEL = re.compile(r"(.+?)\s*[\s,]\s*([^\s,]+)\s*")  # of a path without a suffix: the last word


def read_kinetics(path: Path, classes: ClassNames, videos: VideoFiles) -> tuple[Segments, list[str]]:
    """The official csv (label, youtube_id, time_start, time_end) or a list of `path label`, told by the first line.

    A file named ID_000417_000427 holds the clip alone; one named ID is the whole video, out of which the clip is cut.
    The second list counts rows that are left out, in sentences.
    """
    text = read_text(path)
    first = {cell.strip().strip('"').casefold() for cell in re.split(r"[,;\t]", text.lstrip().partition("\n")[0])}
    is_csv = len(first & {*COLUMNS}) > 1
    return _read_csv(path, classes, videos) if is_csv else _read_list(text, path, classes)


def subset_classes(path: Path, classes: ClassNames) -> ClassNames:
    """The classes that a list names, in its order and in Kinetics' spelling: Kinetics-Sounds has 31 to 34 of them."""
    wanted = class_list(path)
    rows = class_indices(wanted.names, classes, path)
    return ClassNames(tuple(range(len(rows))), tuple(classes.names[row] for row in rows))


def only_classes(segments: Segments, classes: ClassNames, subset: ClassNames) -> Segments:
    """The segments of a subset's classes, labelled by their place in it."""
    place = {classes.names.index(name): i for i, name in enumerate(subset.names)}
    labels = np.array([place.get(int(label), -1) for label in segments.labels["action"]], dtype=np.int64)
    kept = segments.select(labels >= 0)
    kept.labels["action"] = labels[labels >= 0]
    return kept


def _read_csv(path: Path, classes: ClassNames, videos: VideoFiles) -> tuple[Segments, list[str]]:
    table = read_table(path, COLUMNS)
    start_s, end_s = numbers(table, "time_start", path), numbers(table, "time_end", path)
    ids = [
        f"{video}_{_stamp(start)}_{_stamp(end)}"
        for video, start, end in zip(table["youtube_id"], start_s, end_s, strict=True)
    ]
    trimmed = np.array(
        [
            find_video(videos, i) is not None or video not in videos
            for i, video in zip(ids, table["youtube_id"], strict=True)
        ],
        dtype=bool,
    )
    segments = Segments(
        np.array(ids, object),
        np.where(trimmed & (table["youtube_id"] != ""), np.array(ids, object), table["youtube_id"].to_numpy(object)),
        np.where(trimmed, 0.0, start_s),
        np.where(trimmed, np.inf, end_s),
        {"action": class_indices(table["label"].tolist(), classes, path)},
    )
    timed = np.isfinite(start_s) & np.isfinite(end_s) & (start_s >= 0)
    segments, untimed = keep_valid(segments, timed, "have no time, or one before 0")
    segments, backward = keep_valid(segments, (end_s > start_s)[timed], "end before they start")
    return segments, untimed + backward


def _stamp(time_s: float) -> str:
    """000417, as the benchmark names its files; a time between seconds gets its fraction, so that no two are one."""
    if not np.isfinite(time_s):
        return "none"
    return f"{time_s:06.0f}" if time_s % 1 == 0 else f"{time_s:010.3f}"


def _read_list(text: str, path: Path, classes: ClassNames) -> tuple[Segments, list[str]]:
    """A path and a class index (or name) a line, between them a blank, a comma or a tab."""
    names: list[str] = []
    labels: list[str | int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = PATH_LABEL.fullmatch(line) or NAME_LABEL.fullmatch(line)
        if parts is None:
            raise ValueError(f"{path}, line {number}: {line!r} is no path with a label; write `path label`")
        name, label = (part.strip().strip('"') for part in parts.groups())
        names.append(name_of(name))
        labels.append(label if not re.fullmatch(r"-?\d+", label) else _checked(int(label), classes, path, number))
    named = [label for label in labels if isinstance(label, str)]
    indices = iter(class_indices(named, classes, path).tolist())  # all at once: it spells every class's name
    count = len(names)
    columns = np.array(names, object)
    labels_by_set = {"action": np.array([next(indices) if isinstance(i, str) else i for i in labels], np.int64)}
    return Segments(columns, columns, np.zeros(count), np.full(count, np.inf), labels_by_set), []


def _checked(label: int, classes: ClassNames, path: Path, number: int) -> int:
    if not 0 <= label < len(classes):
        raise ValueError(
            f"{path}, line {number}: class {label} is not one of 0..{len(classes) - 1}; give the list of classes that "
            "belongs to it with data.label_map"
        )
    return label
