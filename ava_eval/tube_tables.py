"""Detections for the tube benchmarks from avdet's CSV files: frame detections, and tubes of persons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS, PIXEL_THRESHOLD, FormatError
from ava_eval.csv_parser import quoted
from ava_eval.grouping import index_in_run
from ava_eval.gttubes import TubeTruth
from ava_eval.tables import join_tables, read_detections
from ava_eval.tube_arrays import FRAME_BITS, FloatArray, FrameBoxes, IntArray, Tubes
from ava_eval.tube_files import Found

_SPAN_COLUMNS = ["video", "person_id", "action_id", "start_s", "end_s", "score"]
_MAX_FRAMES = 1 << 24  # of all tubes together
_ROUNDING_S = 2e-3  # tubes.csv has milliseconds


def is_span_table(path: Path) -> bool:
    """Whether a regular file is a tubes.csv: its first line names start_s."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"start_s" in file.readline(1000)


def read_csvs(paths: Sequence[Path], truth: TubeTruth, fps: float | None, label_map: Mapping[int, str] | None) -> Found:
    """Frame detections and tubes of detections.csv, and of tubes.csv if it is among the files.

    A tube is all rows of one video, person and action, or those within a row of tubes.csv. Frames between its
    keyframes get boxes by linear interpolation. `fps` converts seconds to frame numbers, which start at 1; without
    a `label_map`, action id 1 is the first label.
    """
    tables = [read_detections(path) for path in paths if not is_span_table(path)]
    spans = [_read_spans(path) for path in paths if is_span_table(path)]
    if fps is None or not 0 < fps <= 1000:
        raise FormatError(
            f"{paths[0]} has times in seconds, and the ground truth has frame numbers; give the videos' frame rate as"
            " --fps, such as 25."
        )
    if not tables:
        raise FormatError(f"{paths[0]} has no boxes; give detections.csv, too: --detections detections.csv tubes.csv.")
    table = join_tables(tables)
    frames = _frame_boxes(table, truth, fps, _class_of_id(table, truth, label_map))
    known = np.flatnonzero((frames.class_ >= 0) & (frames.video >= 0))
    dropped = len(table) - len(known)
    note = f"{dropped:,} detections are of videos outside the split or of other actions, and are left out."
    table, frames = table.iloc[known], frames.take(known)
    found = Found(frames, notes=[note] if dropped else [])
    persons = table.assign(row=np.arange(len(table)), frame=frames.frame)
    persons = persons[persons["person_id"] >= 0]
    if len(persons):
        found.tubes = _interpolated(_tubes(persons, pd.concat(spans) if spans else None, frames))
    return found


def _read_spans(path: Path) -> pd.DataFrame:
    types = {"video": str, "person_id": "int64", "action_id": "int64", **dict.fromkeys(_SPAN_COLUMNS[3:], "float64")}
    try:
        return pd.read_csv(path, usecols=_SPAN_COLUMNS, dtype=types)  # type: ignore[arg-type]
    except (ValueError, OverflowError) as error:
        columns = ",".join(_SPAN_COLUMNS)
        raise FormatError(f"{path} is not a tubes.csv with the columns {columns} ({error}); write it again.") from None


def _frame_boxes(table: pd.DataFrame, truth: TubeTruth, fps: float, class_: IntArray) -> FrameBoxes:
    numbers = _video_numbers(truth)
    names = [str(name) for name in table["video"].cat.categories]
    if names and not any(name in numbers for name in names):
        raise FormatError(
            f"no video of the detections, such as {quoted(names[0])}, is a test video of the ground truth, such as"
            f" {quoted(truth.videos[0])}; check --split and the names."
        )
    codes = table["video"].cat.codes.to_numpy()
    frame = np.rint(table["timestamp"].to_numpy() * fps).astype(np.int64) + 1
    if ((frame < 0) | (frame >= 1 << FRAME_BITS)).any():
        raise FormatError(f"a time of the detections is negative or too large at --fps {fps:g}; give seconds.")
    boxes = table[BOX_COLUMNS].to_numpy(np.float64)
    if np.abs(boxes).max(initial=0) <= PIXEL_THRESHOLD:
        boxes = boxes * _sizes(names, numbers, truth)[codes]
    number = np.array([numbers.get(name, -1) for name in names], np.int64)[codes]
    return FrameBoxes(number, class_, table["score"].to_numpy(), frame, boxes)


def _sizes(names: Sequence[str], numbers: Mapping[str, int], truth: TubeTruth) -> FloatArray:
    """(videos, 4) width, height, width, height in pixels of each named video; 1 for others than test videos."""
    sizes = np.ones((len(names), 4))
    for index, name in enumerate(names):
        if name in numbers:
            video = truth.videos[numbers[name]]
            try:
                height, width = map(float, truth.resolution[video])
            except (KeyError, TypeError, ValueError):
                raise FormatError(
                    f"the ground truth has no resolution of {quoted(video)}; write the boxes in pixels."
                ) from None
            sizes[index] = [width, height, width, height]
    return sizes


def _video_numbers(truth: TubeTruth) -> dict[str, int]:
    """Number of each test video by its name, and by the part after the last slash where that is unique."""
    parts = pd.Series([video.rpartition("/")[2] for video in truth.videos])
    unique = parts[~parts.duplicated(keep=False)]
    numbers = {str(name): int(index) for index, name in unique.items()}  # type: ignore[call-overload]
    return {**numbers, **{video: index for index, video in enumerate(truth.videos)}}


def _class_of_id(table: pd.DataFrame, truth: TubeTruth, label_map: Mapping[int, str] | None) -> IntArray:
    """(rows,) class of each row, -1 for actions that are no label."""
    ids = table["action_id"].to_numpy().astype(np.int64)
    if label_map is None:
        classes = np.where((ids >= 1) & (ids <= len(truth.labels)), ids - 1, -1)
    else:
        index = {label: class_ for class_, label in enumerate(truth.labels)}
        of_id = {action_id: index.get(name, -1) for action_id, name in label_map.items()}
        classes = pd.Series(ids).map(of_id).fillna(-1).to_numpy().astype(np.int64)
    if len(ids) and not (classes >= 0).any():
        raise FormatError(
            f"no action of the detections, such as id {ids[0]}, is a label of the ground truth, such as"
            f" {quoted(truth.labels[0])}; give the --label-map of these ids."
        )
    return classes


def _tubes(keys: pd.DataFrame, spans: pd.DataFrame | None, frames: FrameBoxes) -> Tubes:
    """keys: the rows with a person id, with the columns row (in `frames`) and frame added."""
    track = ["video", "person_id", "action_id"]
    if spans is None:
        tube = keys.groupby(track, observed=True).ngroup().to_numpy()
        keys = keys.assign(tube=tube, tube_score=keys["score"].groupby(tube).transform("mean").to_numpy())
    else:
        spans = spans.assign(tube=np.arange(len(spans))).rename(columns={"score": "tube_score"})
        keys = keys.astype({"video": str}).merge(spans, on=track)
        early, late = keys["timestamp"] < keys["start_s"] - _ROUNDING_S, keys["timestamp"] > keys["end_s"] + _ROUNDING_S
        keys = keys[~(early | late)]
        if keys.empty:
            raise FormatError("no row of tubes.csv has boxes in detections.csv; give the two files of one run.")
    keys = keys.sort_values(["tube", "frame", "score"], ascending=[True, True, False], kind="stable")
    keys = keys.drop_duplicates(["tube", "frame"])
    length = np.unique(keys["tube"].to_numpy(), return_counts=True)[1]
    start = np.concatenate([[0], np.cumsum(length)])
    row, first = keys["row"].to_numpy(), start[:-1]
    score: npt.NDArray[np.float64] = keys["tube_score"].to_numpy()[first]
    boxes = frames.take(row)
    return Tubes(boxes.video[first], boxes.class_[first], score, start, boxes.frame, boxes.boxes)


def _interpolated(tubes: Tubes) -> Tubes:
    """The tubes with a box on every frame from their first to their last."""
    steps = np.diff(tubes.frame, append=0)
    steps[tubes.start[1:] - 1] = 1
    if (num_frames := int(steps.sum())) > _MAX_FRAMES:
        raise FormatError(f"the persons' tubes have {num_frames:,} frames; check --fps, or give tubes.csv, too.")
    row = np.repeat(np.arange(len(steps)), steps)
    step = index_in_run(steps)
    following = tubes.boxes[np.minimum(row + 1, len(steps) - 1)]
    boxes = tubes.boxes[row] + (step / steps[row])[:, None] * (following - tubes.boxes[row])
    total = np.concatenate([[0], np.cumsum(steps)])
    return Tubes(tubes.video, tubes.class_, tubes.score, total[tubes.start], tubes.frame[row] + step, boxes)
