"""Reads MOT Challenge text files: `frame,id,left,top,width,height[,confidence,class,visibility]`, frames from 1.

Frames and ids count from 1; the challenge's boxes do so, too (TrackEval, docs/MOTChallenge-Official/Readme.md), CVAT's
from 0, and they are read as from 0: at most a pixel apart. The seventh number of a ground truth is 1 for boxes that
count and 0 for others. The actions come from a table of intervals (`interval_table`). CVAT and Datumaro write gt/gt.txt
and gt/labels.txt, the MOT Challenge writes SEQUENCE/gt/gt.txt and SEQUENCE/seqinfo.ini.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from pathlib import Path, PurePosixPath

import pandas as pd

from avdet.annotations.importers.csv_cells import number
from avdet.annotations.importers.rows import Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import finite_numbers
from avdet.media.file_names import nfc

__all__ = ["is_mot", "read_mot"]

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?"
LINE = re.compile(rf"\s*\d+(\.0+)?\s*,\s*-?\d+(\.0+)?(\s*,\s*{NUMBER}){{4,8}}\s*", re.IGNORECASE)


def is_mot(data: bytes, context: Context) -> bool:
    """Whether the first line has six to ten numbers; AVA's files begin with a video's name, which may be a number."""
    first = data.decode("utf-8-sig", errors="replace").strip().partition("\n")[0]
    return LINE.fullmatch(first) is not None and nfc(first.partition(",")[0].strip()) not in context.videos.paths


def read_mot(files: Mapping[str, bytes], path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of all boxes of the files whose lines are MOT's; ids are tracks, classes labels."""
    found = [name for name, data in files.items() if name.endswith(".txt") and is_mot(data, context)]
    ground_truth = [name for name in found if PurePosixPath(name).name == "gt.txt"] or found
    boxes = [box for name in ground_truth for box in _boxes(name, files, path, context)]
    if not context.intervals and not any(box.label for box in boxes):
        raise ValueError(
            f"{path} has boxes without actions, as MOT files do; give a table with the columns "
            "person,start,end,action, too"
        )
    return rows_from_boxes(boxes, {}, path, context)


def _boxes(name: str, files: Mapping[str, bytes], path: Path, context: Context) -> Iterator[LabelledBox]:
    video = _video(name, files, path, context)
    width, height = context.videos.frame_size(video)
    labels = files.get(str(PurePosixPath(name).with_name("labels.txt")), b"").decode("utf-8-sig").split("\n")
    classes = {str(index): label.strip() for index, label in enumerate(labels, start=1) if label.strip()}
    lines = [line.split(",") for line in files[name].decode("utf-8-sig").splitlines() if line.strip()]
    has_flags = any(number(cells[6].strip()) == 1 for cells in lines if len(cells) > 6)
    context.note(f"{path.name}: frames of {PurePosixPath(name).name} count from 1")
    for line, cells in enumerate(lines, start=1):
        where = f"{path}, {name}, line {line}"
        frame, track, x, y, w, h = finite_numbers(cells[:6], 6, where)
        if has_flags and len(cells) > 6 and number(cells[6].strip()) == 0:
            context.omitted["boxes that MOT marks as ignored"] += 1
            continue
        time_s = context.videos.frame_time(video, frame - 1, where)
        label = classes.get(cells[7].strip(), "") if len(cells) > 7 else ""
        box = (x / width, y / height, (x + w) / width, (y + h) / height)
        yield LabelledBox(video, time_s, box, label, "" if track < 0 else str(int(track)), frame=int(frame))


def _video(name: str, files: Mapping[str, bytes], path: Path, context: Context) -> str:
    """By the file's name, its folders, the name in seqinfo.ini, or the only video of --videos."""
    file = PurePosixPath(nfc(name))
    names = [file.stem, *reversed(file.parts[:-1])]
    for other, data in files.items():
        if PurePosixPath(other).name == "seqinfo.ini" and PurePosixPath(other).parent in file.parents:
            names.append(_sequence_name(data))
    known = next((one for one in names if one in context.videos.paths), "") or context.videos.video_of_file(path)
    if not known:
        raise ValueError(f"{path}: {name} names no video of --videos; rename it to VIDEO.txt, or its folder to VIDEO")
    return known


def _sequence_name(data: bytes) -> str:
    parser = ConfigParser()
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except (IniError, UnicodeDecodeError):
        return ""
    return nfc(parser.get("Sequence", "name", fallback=""))
