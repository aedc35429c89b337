"""Is this data set what training needs? Every answer with a count, examples and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ava_eval import read_boxes, read_excluded, read_ground_truth, read_label_map
from avdet.boxes import iou_xyxy
from avdet.data.keyframes import ClassNames, KeyframeTable, detected_keyframes, labelled_keyframes, without_excluded
from avdet.data.locate import annotation_files, require_data
from avdet.data.movies import find_movies
from avdet.data_settings import AvaData
from avdet.media.reader import DecodeError, VideoInfo, VideoReader

__all__ = ["Finding", "check_data"]

FEW_SAMPLES = 20  # a class with fewer training rows learns next to nothing
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """`error` stops training, `warning` costs something, `fact` is as it should be."""

    level: Literal["error", "warning", "fact"]
    about: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def check_data(data: AvaData) -> Iterator[Finding]:
    """All findings, errors and facts alike; a file that cannot be read at all ends the check with its error."""
    try:
        require_data(data)
        classes = ClassNames.from_label_map(read_label_map(data.annotations / data.label_map))
        yield Finding("fact", "classes", f"{len(classes)} classes in {data.label_map}")
        tables = {split: _read(data, split) for split in ("train", "val")}
        boxes = read_boxes(data.annotations / data.val_boxes)
    except ValueError as error:
        yield Finding("error", "files", str(error))
        return
    yield from _splits(tables)
    for split, table in tables.items():
        yield from _labels(split, table, classes)
    movies = find_movies(data.videos)
    infos: dict[str, VideoInfo] = {}
    for split, table in tables.items():
        yield from _movies(split, table, movies, infos)
        yield from _times(split, table, infos)
    yield from _sound(infos)
    yield from _proposals(labelled_keyframes(tables["val"], classes), boxes, data.min_box_score)


def _read(data: AvaData, split: str) -> pd.DataFrame:
    files = annotation_files(data, split)
    excluded = files.get(f"data.{split}_excluded")
    truth = read_ground_truth(files[f"data.{split}_csv"])
    return without_excluded(truth, read_excluded(excluded) if excluded else None)


def _splits(tables: dict[str, pd.DataFrame]) -> Iterator[Finding]:
    common = sorted(set(tables["train"]["video"]) & set(tables["val"]["video"]))
    if common:
        yield Finding("error", "splits", f"{_named(common, 'videos')} in both train and val; take them out of one")
    for split, table in tables.items():
        keyframes = len(table.drop_duplicates(["video", "timestamp"]))
        yield Finding("fact", split, f"{table['video'].nunique()} videos, {keyframes:,} keyframes, {len(table):,} rows")


def _labels(split: str, table: pd.DataFrame, classes: ClassNames) -> Iterator[Finding]:
    acts = table[table["action_id"] > 0]
    counts = acts["action_id"].value_counts()
    unknown = sorted(set(counts.index) - set(classes.ids))
    if unknown:
        rows = int(counts[unknown].sum())
        what = f"{_named([str(i) for i in unknown], 'action ids')} ({rows:,} rows) not in the label map"
        level: Literal["error", "warning"] = "error" if rows == len(acts) else "warning"
        yield Finding(level, split, f"{what}: nothing learns or scores them; add them to the map if they are meant")
    label_map = classes.label_map
    rare = [f"{label_map[i]} ({counts.get(i, 0)})" for i in classes.ids if counts.get(i, 0) < FEW_SAMPLES]
    if split == "train" and rare:
        yield Finding(
            "warning", split, f"under {FEW_SAMPLES} rows: {_named(rare, 'classes')}; they will hardly be learned"
        )
    duplicates = int(acts.duplicated().sum())
    if duplicates:
        yield Finding("warning", split, f"{duplicates:,} rows stand there twice; remove the copies")


def _movies(split: str, table: pd.DataFrame, movies: dict[str, Path], infos: dict[str, VideoInfo]) -> Iterator[Finding]:
    videos = sorted(table["video"].unique())
    missing = [video for video in videos if video not in movies]
    if missing:
        level: Literal["error", "warning"] = "error" if len(missing) == len(videos) else "warning"
        yield Finding(
            level, split, f"{len(videos)} movies expected, {_named(missing, 'movies')} missing; add the files"
        )
    for video in set(videos) - set(missing):
        try:
            with VideoReader(movies[video]) as reader:
                infos[video] = reader.info
        except DecodeError as error:
            yield Finding("error", split, str(error))


def _times(split: str, table: pd.DataFrame, infos: dict[str, VideoInfo]) -> Iterator[Finding]:
    known = table[table["video"].isin(infos.keys())]
    last = known.groupby("video")["timestamp"].max()
    late = [
        f"{video} ({time:g} s of {infos[str(video)].duration_s:.1f} s)"
        for video, time in last.items()
        if time > infos[str(video)].duration_s
    ]
    if late:
        yield Finding(
            "error",
            split,
            f"annotated past the end: {_named(late, 'movies')}; are times seconds from the movie's start?",
        )
    elif len(last):
        yield Finding("fact", split, f"all times lie inside their {len(last)} movies")


def _sound(infos: dict[str, VideoInfo]) -> Iterator[Finding]:
    if not infos:
        return
    silent = sorted(video for video, info in infos.items() if not info.has_audio)
    if silent:
        yield Finding(
            "warning", "sound", f"no sound track: {_named(silent, 'movies')} of {len(infos)}; their clips are only seen"
        )
    else:
        yield Finding("fact", "sound", f"all {len(infos)} movies have a sound track")


def _proposals(truth: KeyframeTable, boxes: pd.DataFrame, min_score: float) -> Iterator[Finding]:
    found = detected_keyframes(truth, boxes, min_score=min_score)
    if not len(found.people):
        best = f"the highest is {boxes['score'].max():.2f}" if len(boxes) else "the file is empty"
        yield Finding(
            "error", "val boxes", f"no box on an annotated keyframe has score >= {min_score:g} ({best}); lower "
            "data.min_box_score, or check the boxes' videos and timestamps",
        )  # fmt: skip
        return
    recall = _recall(truth, found)
    shares = ", ".join(f"{share:.1%} at IoU {iou}" for iou, share in recall.items())
    per_keyframe = len(found.people) / len(truth)
    level: Literal["warning", "fact"] = "warning" if recall[0.5] < 0.5 else "fact"
    yield Finding(
        level,
        "val boxes",
        f"{per_keyframe:.2f} a keyframe at score >= {min_score:g}; of the labelled people they find {shares}",
    )


def _recall(truth: KeyframeTable, found: KeyframeTable) -> dict[float, float]:
    """Share of labelled people that some detected box overlaps so much."""
    best = []
    for k in range(len(truth)):
        people, boxes = truth[k].people.boxes, found[k].people.boxes
        if len(people):
            best.append(iou_xyxy(people, boxes).max(dim=1).values.numpy() if len(boxes) else np.zeros(len(people)))
    overlaps = np.concatenate(best) if best else np.zeros(1)
    return {iou: float((overlaps >= iou).mean()) for iou in (0.5, 0.9)}


def _named(items: list[str], what: str) -> str:
    more = f", and {len(items) - EXAMPLES} more" if len(items) > EXAMPLES else ""
    return f"{len(items)} {what}: {', '.join(items[:EXAMPLES])}{more}"
