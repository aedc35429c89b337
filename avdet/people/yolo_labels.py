"""Reads the label files that YOLO tools write for the frames of videos, VIDEO_FRAME.txt, as person boxes.

Lines are: class, centre x, centre y, width, height, and optionally confidence and track id, normalised. Frames are
counted from 1, as Ultralytics and YOLOv5 do. A frame without boxes has no file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.media.media_file import frame_times
from avdet.media.video_source import open_video
from avdet.people.box_table import COLUMNS
from avdet.people.find_persons import keyframe_times

__all__ = ["read_yolo_labels"]

FILE_NAME = re.compile(r"(.+)_(\d+)")
FORM = "class, centre x, centre y, width, height[, confidence[, track id]]"


def read_yolo_labels(folder: Path, videos: Mapping[str, Path], *, class_number: int, rate: float) -> pd.DataFrame:
    """Boxes of one class as `ava_eval.read_boxes` returns them, of the labelled frames nearest to `rate` per second.

    videos: by name. Raises ValueError if no file belongs to one of them, or a line has another form.
    """
    frames: dict[str, dict[int, Path]] = {name: {} for name in videos}
    for path in sorted(folder.glob("*.txt")):
        match = FILE_NAME.fullmatch(path.stem)
        if match and match[1] in frames:
            frames[match[1]][int(match[2])] = path
    if not any(frames.values()):
        raise ValueError(
            f"{folder} has no file {next(iter(videos))}_1.txt, _2.txt, ..; give the folder of YOLO's labels"
        )
    rows = [
        (name, time_s, *row)
        for name, paths in frames.items()
        if paths
        for time_s, path in _nearest_frames(paths, videos[name], rate)
        for row in _boxes(path, class_number)
    ]
    if not rows:
        raise ValueError(f"{folder} has no box of class {class_number}; give its number or name with --person-class")
    return pd.DataFrame(rows, columns=COLUMNS)


def _nearest_frames(paths: Mapping[int, Path], video: Path, rate: float) -> list[tuple[float, Path]]:
    """(time, file) of the labelled frame nearest to each keyframe, within half of their distance."""
    times_s = _frame_times(video)
    last = max(paths)
    if not 1 <= min(paths) <= last <= len(times_s):
        raise ValueError(
            f"{paths[last]} is of frame {last}, but {video} has {len(times_s)} frames, counted from 1; check that the "
            "labels belong to this version of the video"
        )
    numbers = np.array(sorted(paths))
    labelled_s = times_s[numbers - 1]
    keyframes_s = np.array(keyframe_times(float(times_s[-1] + 1e-6), rate=rate))
    nearest = np.abs(labelled_s[None] - keyframes_s[:, None]).argmin(axis=1)
    chosen = np.unique(nearest[np.abs(labelled_s[nearest] - keyframes_s) <= 0.5 / rate])
    return [(float(labelled_s[index]), paths[int(numbers[index])]) for index in chosen]


def _frame_times(video: Path) -> NDArray[np.float64]:
    if not video.is_dir():
        return frame_times(video)
    with open_video(video) as reader:
        return np.arange(round(reader.info.duration_s * reader.info.fps)) / reader.info.fps


def _boxes(path: Path, class_number: int) -> list[tuple[float, ...]]:
    """x1, y1, x2, y2, score and person id of each box of the class."""
    boxes: list[tuple[float, ...]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            values = [float(text) for text in line.split()]
        except ValueError:
            values = [np.nan]
        if not values:
            continue
        if (
            not 5 <= len(values) <= 7
            or not np.isfinite(values).all()
            or not 0 <= min(values[1:5]) <= max(values[1:5]) <= 1
        ):
            raise ValueError(f"{path}, line {number}: {line[:60]!r} is not {FORM}, normalised; export detections again")
        kind, x, y, width, height, *rest = values
        if kind == class_number:
            score, person = (*rest, *(1.0, -1.0)[len(rest) :])
            boxes.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, int(person)))
    return boxes
