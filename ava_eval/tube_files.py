"""Detections for the tube benchmarks: the pickles of ACT, MOC and MultiSports, and avdet's CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ava_eval.csv_format import FormatError
from ava_eval.csv_parser import quoted
from ava_eval.gttubes import TubeTruth, check_tube, class_index, load_pickle
from ava_eval.tube_arrays import FRAME_BITS, AnyArray, FrameBoxes, Tubes

_FRAME_USAGE = "columns video_index, frame, label_index, score, x1, y1, x2, y2"
_TUBE_USAGE = "{label_index: [(video, score, array (frames, 5 or 6))]}"
_SCORE_LIMIT = 1e30


@dataclass
class Found:
    """Detections, None for a kind that the files do not hold, and notes on them."""

    frames: FrameBoxes | None = None
    tubes: Tubes | None = None
    notes: list[str] = field(default_factory=list)


def read_pickle(path: Path, truth: TubeTruth) -> Found:
    """Frame detections or tubes from a pickle, recognised by its content.

    Frame detections are an array (N, 8), or a list of its rows. Tubes are MultiSports' dictionary.
    """
    content = load_pickle(path)
    if isinstance(content, dict):
        tubes = _tubes(_listed_tubes(content, truth, path))
        outside = int(np.sum(tubes.video < 0))
        note = f"{outside:,} tubes are of videos outside the split and count as false positives; check --split."
        return Found(tubes=tubes, notes=[note] if outside else [])
    return Found(frames=_frames(content, truth, path))


def read_folder(folder: Path, truth: TubeTruth) -> Found:
    """The results of ACT and MOC: `frame_detections.pkl`, and `VIDEO_tubes.pkl` of each test video; either or both."""
    found = Found()
    if (folder / "frame_detections.pkl").is_file():
        found.frames = read_pickle(folder / "frame_detections.pkl", truth).frames
    paths = [folder / f"{video}_tubes.pkl" for video in truth.videos]
    missing = [path for path in paths if not path.is_file()]
    if missing and (len(missing) < len(paths) or found.frames is None):
        raise FormatError(f"{missing[0]} is missing; give a folder with a _tubes.pkl of every test video.")
    if not missing:
        found.tubes = _tubes(_tubes_of_videos(paths, truth))
    return found


def _is_row(row: object) -> bool:
    """Checked before numpy makes an array, which would give each entry the size of the longest text."""
    if isinstance(row, np.ndarray):
        return row.shape == (8,) and row.dtype.kind in "iuf"
    return (
        isinstance(row, list | tuple)
        and len(row) == 8
        and all(isinstance(cell, int | float | np.number) for cell in row)
    )


@dataclass
class _Tube:
    video: int  # -1 for one that is no test video
    class_: int
    score: Any  # Python's or numpy's number: its type decides how numpy sorts ties
    array: AnyArray


def _frames(content: object, truth: TubeTruth, path: Path) -> FrameBoxes:
    rows = np.array(content) if isinstance(content, list) and content and all(map(_is_row, content)) else content
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != 8 or rows.dtype.kind not in "iuf":
        raise FormatError(f"{path} holds neither frame detections, {_FRAME_USAGE}, nor tubes, {_TUBE_USAGE}.")
    if not (np.abs(rows) <= _SCORE_LIMIT).all():  # true for NaN
        raise FormatError(f"{path}: a frame detection holds NaN, Inf or a value beyond {_SCORE_LIMIT:g}; correct it.")
    video, frame, class_ = rows[:, :3].astype(np.float64).astype(np.int64).T
    for values, limit, name in (
        (video, len(truth.videos), "video_index"),
        (frame, 1 << FRAME_BITS, "frame"),
        (class_, len(truth.labels), "label_index"),
    ):
        if wrong := values[(values < 0) | (values >= limit)].tolist():
            raise FormatError(f"{path}: {name} is {wrong[0]}, not from 0 to {limit - 1}; check the file and --split.")
    return FrameBoxes(video, class_, rows[:, 3], frame, rows[:, 4:8].astype(np.float64))


def _listed_tubes(content: dict[Any, Any], truth: TubeTruth, path: Path) -> Iterator[_Tube]:
    """MultiSports' tubes, each class in the file's order."""
    numbers = {video: index for index, video in enumerate(truth.videos)}
    for key, entries in content.items():
        class_ = class_index(key, len(truth.labels), str(path))
        for entry in _entries(entries, 3, path):
            video, score, array = entry
            if not isinstance(video, str):
                raise FormatError(f"{path}: {quoted(str(video))} is not a video's name; tubes are {_TUBE_USAGE}.")
            yield _Tube(numbers.get(video, -1), class_, score, check_tube(array, f"{path}, {quoted(video)}"))


def _tubes_of_videos(paths: Sequence[Path], truth: TubeTruth) -> Iterator[_Tube]:
    """ACT's tubes, one file per video: {label_index: [(array, score)]}."""
    for video, path in enumerate(paths):
        content = load_pickle(path)
        if not isinstance(content, dict):
            raise FormatError(f"{path} holds {type(content).__name__}, not {{label_index: [(array, score)]}}.")
        for key, entries in content.items():
            class_ = class_index(key, len(truth.labels), str(path))
            for array, score in _entries(entries, 2, path):
                yield _Tube(video, class_, score, check_tube(array, str(path)))


def _entries(entries: object, size: int, path: Path) -> Sequence[Any]:
    if not isinstance(entries, list | tuple):
        raise FormatError(f"{path}: a label holds {type(entries).__name__}, not a list; tubes are {_TUBE_USAGE}.")
    for entry in entries:
        if not isinstance(entry, list | tuple) or len(entry) != size:
            raise FormatError(f"{path}: a tube is not a tuple of {size}; tubes are {_TUBE_USAGE}.")
        score = entry[1]
        if not isinstance(score, int | float | np.integer | np.floating) or not abs(float(score)) <= _SCORE_LIMIT:
            raise FormatError(f"{path}: a tube's score is {quoted(str(score))}, not a number; correct the file.")
    return entries


def _tubes(tubes: Iterator[_Tube]) -> Tubes:
    listed = list(tubes)
    if len({id(tube.array) for tube in listed}) < len(listed):
        raise FormatError("two tubes of the file share one array; write each tube with its own.")
    score = np.array([tube.score for tube in listed]) if listed else np.zeros(0)
    arrays = [tube.array for tube in listed]
    return Tubes.join([tube.video for tube in listed], [tube.class_ for tube in listed], score, arrays)
