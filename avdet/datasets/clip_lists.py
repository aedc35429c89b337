"""Lists of clips as people write them: a path and its labels per line, or a table with a header line.

yoga/a.mp4 1        path and class, by name or id, in either order
a.mp4 0 2           several classes
frames/a 163 1      a folder of frames, its number of frames and the class
a.mp4,0.2,1.1,yoga  seconds of an action in a longer video
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avdet.datasets.class_names import ClassNames
from avdet.datasets.clip_rows import ClipRow, is_class, label_indices, split_labels, video_of_cell
from avdet.datasets.clip_tables import Lines, find_header, read_clip_table
from avdet.datasets.segments import Intervals, Segments
from avdet.datasets.video_files import VIDEO_SUFFIXES, VideoIndex, find_video

__all__ = ["read_clip_list"]

SUFFIX = "|".join(re.escape(suffix) for suffix in sorted(VIDEO_SUFFIXES, key=len, reverse=True))
PATH_FIRST = re.compile(rf"\"?(.+?(?:{SUFFIX}))\"?(?:\s*[\s,;]\s*(\S.*))?", re.IGNORECASE)
PATH_LAST = re.compile(rf"(.+?)\s*[\s,;]\s*\"?(\S+(?:{SUFFIX}))\"?", re.IGNORECASE)
SEPARATOR = re.compile(r"\s*[,;\t]\s*")
NUMBER = re.compile(r"\d+(\.\d+)?")


def read_clip_list(
    text: str, path: Path, classes: ClassNames, videos: VideoIndex, *, multilabel: bool
) -> tuple[Segments, list[str]]:
    """The segments of a list, and a sentence per kind of row that was skipped.

    multilabel: labels are (N, C) multi-hot, one segment per video; seconds, if any, are the intervals of its actions.
    Otherwise a row has one label, and its seconds are a segment. Raises ValueError that names the line.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    header = find_header(lines)
    faults: list[str] = []
    if header is None:
        rows = _read_lines(lines, path, classes, videos)
    else:
        rows, faults = read_clip_table(lines[header:], path, classes)
    labels = [label_indices(row, classes, path) for row in rows]
    if multilabel:
        return _multilabel(rows, labels, len(classes)), faults
    for row, found in zip(rows, labels, strict=True):
        if len(found) > 1:
            raise ValueError(
                f"{path}, line {row.line}: {row.video} has {len(found)} labels ({', '.join(row.labels)}); set "
                "data.multilabel=true, or write one label per clip"
            )
    return _single_label(rows, [found[0] for found in labels]), faults


def _read_lines(lines: Lines, path: Path, classes: ClassNames, videos: VideoIndex) -> list[ClipRow]:
    parsed = [(number, *_video_and_labels(line, path, number, classes, videos)) for number, line in lines]
    fields = [split_labels(labels, classes) for _, _, labels in parsed]
    names = [video_of_cell(video) for _, video, _ in parsed]
    if _are_spans(fields, classes):
        spans = [(float(start), float(end)) for start, end, _ in fields]
        rows = zip(parsed, names, fields, spans, strict=True)
        return [ClipRow(number, name, found[2:], span_s) for (number, _, _), name, found, span_s in rows]
    first = int(_counts_frames(fields, parsed, classes))
    return [ClipRow(line[0], name, found[first:]) for line, name, found in zip(parsed, names, fields, strict=True)]


def _video_and_labels(line: str, path: Path, number: int, classes: ClassNames, videos: VideoIndex) -> tuple[str, str]:
    """The video of a line and the text of its labels, whichever comes first."""
    if (match := PATH_FIRST.fullmatch(line)) and match[2]:
        return match[1], match[2]
    if match := PATH_LAST.fullmatch(line):
        return match[2], match[1]
    cells = SEPARATOR.split(line, maxsplit=1)
    words = cells if len(cells) > 1 else line.split()
    if len(words) < 2:
        raise ValueError(f"{path}, line {number}: {line!r} is not a path with a label; write `path label`")
    joint = ", " if len(cells) > 1 else " "
    first = min(_first_label(words, classes), len(words) - 1)
    if is_class(joint.join(words[:-1]), classes) and not (
        is_class(words[-1], classes) and find_video(videos, words[-1]) is None
    ):
        return words[-1], joint.join(words[:-1])
    return joint.join(words[:first]), joint.join(words[first:])


def _first_label(words: Sequence[str], classes: ClassNames) -> int:
    """Where the labels at the end of a line begin: numbers and class names, which may have several words."""
    first = len(words)
    while first > 1:
        longer = [k for k in range(1, first) if is_class(" ".join(words[k:first]), classes)]
        if longer:
            first = longer[0]
        elif NUMBER.fullmatch(words[first - 1]):
            first -= 1
        else:
            break
    return first


def _are_spans(fields: Sequence[Sequence[str]], classes: ClassNames) -> bool:
    """Whether all lines have start, end and a class, and are not three classes."""
    return all(
        len(found) == 3
        and all(map(NUMBER.fullmatch, found[:2]))
        and float(found[0]) < float(found[1])
        and is_class(found[2], classes)
        for found in fields
    ) and not all(is_class(label, classes) for found in fields for label in found)


def _counts_frames(
    fields: Sequence[Sequence[str]], parsed: Sequence[tuple[int, str, str]], classes: ClassNames
) -> bool:
    """Whether the first number of each line counts frames, as in lists of folders of frames.

    It does if every line has more than one number and the first ones are not all ids of classes, or if every line
    names a folder and has two numbers.
    """
    if not all(len(found) > 1 and found[0].isdecimal() for found in fields):
        return False
    are_ids = all(is_class(found[0], classes) for found in fields)
    are_folders = not any(PATH_FIRST.fullmatch(video) for _, video, _ in parsed)
    return not are_ids or (are_folders and all(len(found) == 2 for found in fields))


def _single_label(rows: Sequence[ClipRow], labels: Sequence[int]) -> Segments:
    ids = [row.video if row.span_s is None else f"{row.video}_{row.span_s[0]:g}_{row.span_s[1]:g}" for row in rows]
    spans = np.array([row.span_s or (0.0, np.inf) for row in rows], np.float64).reshape(-1, 2)
    names = np.array([row.video for row in rows], object)
    return Segments(np.array(ids, object), names, spans[:, 0], spans[:, 1], {"action": np.array(labels, np.int64)})


def _multilabel(rows: Sequence[ClipRow], labels: Sequence[Sequence[int]], num_classes: int) -> Segments:
    """One segment per video with the labels of all its rows."""
    number = {name: i for i, name in enumerate(dict.fromkeys(row.video for row in rows))}
    hot = np.zeros((len(number), num_classes), np.int64)
    actions = sorted(
        (number[row.video], label, *(row.span_s or (0.0, np.inf)))
        for row, found in zip(rows, labels, strict=True)
        for label in found
    )
    for video, label, _, _ in actions:
        hot[video, label] = 1
    intervals = None
    if any(row.span_s is not None for row in rows):
        columns = np.array(actions, np.float64)
        first = np.searchsorted(columns[:, 0], np.arange(len(number) + 1)).astype(np.int64)
        intervals = Intervals(first, columns[:, 1].astype(np.int64), columns[:, 2], columns[:, 3])
    return Segments.whole_videos(np.array(list(number), object), {"action": hot}, intervals)
