"""Checks a detection data set: its files, labels, boxes and videos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ava_eval import KEYFRAME_COLUMNS
from avdet.annotations.checks import Finding
from avdet.annotations.checks.check_boxes import (
    check_boxes,
    check_person_boxes,
    check_person_ids,
    check_training_boxes,
)
from avdet.annotations.checks.check_labels import (
    check_classes,
    check_csv_format,
    check_exclusive_groups,
    check_rows,
    check_splits,
)
from avdet.annotations.checks.check_videos import check_contents, check_missing, check_times
from avdet.data.keyframes import labelled_keyframes
from avdet.datasets.dataset import SPLITS, Split, require_data
from avdet.datasets.detection import DetectionConfig, DetectionDataset
from avdet.datasets.keyframe_split import without_excluded
from avdet.datasets.timestamp_offset import add_trimmed, candidate_offsets, video_durations
from avdet.datasets.video_files import videos_by_name
from avdet.media.media_file import DecodeError

__all__ = ["check_detection"]


def check_detection(dataset: DetectionDataset[Any], *, thorough: bool = True) -> Iterator[Finding]:
    """Yields all findings. A file that cannot be read ends the check with an error.

    thorough: also decodes the videos and measures the recall of the person boxes; takes minutes for large data sets.
    """
    config = dataset.config
    try:
        require_data(dataset)
        label_map, classes = dataset.label_map(), dataset.class_names()
        classes_of = {"train": classes, "val": dataset.scored_classes()}
        dataset.exclusive_groups(classes)
        tables: dict[Split, pd.DataFrame] = {
            split: without_excluded(dataset.ground_truth(split), dataset.excluded(split)) for split in SPLITS
        }
        boxes = {f"{split} boxes": dataset.person_boxes(split) for split in ("val", "train")}
    except ValueError as error:
        yield Finding("error", "files", str(error))
        return
    for name, path in {**dataset.files("train"), **dataset.files("val")}.items():
        if name.endswith(("csv", "boxes")):
            yield from check_csv_format(path)
    yield from check_classes(label_map, classes, classes_of["val"])
    yield from check_splits(tables)
    for split, table in tables.items():
        yield from check_rows(split, table, label_map, classes_of[split])
        yield from check_exclusive_groups(split, table, label_map, config.exclusive_groups)
        yield from check_boxes(split, table)
        yield from check_person_ids(split, table)
    for about, person_boxes in boxes.items():
        if person_boxes is not None:
            yield from check_boxes(about, person_boxes)
    yield from _check_videos(config, tables, thorough=thorough)
    if thorough:
        if boxes["val boxes"] is not None:
            truth = labelled_keyframes(tables["val"], classes)
            yield from check_person_boxes(truth, boxes["val boxes"], config.min_box_score)
        if boxes["train boxes"] is not None:
            train = labelled_keyframes(tables["train"], classes)
            yield from check_training_boxes(train, boxes["train boxes"], config.min_box_score)


def _check_videos(
    config: DetectionConfig, tables: Mapping[Split, pd.DataFrame], *, thorough: bool
) -> Iterator[Finding]:
    names = [name for table in tables.values() for name in table["video"].unique()]
    videos = add_trimmed(videos_by_name(config.videos), names)
    used: set[str] = set()
    for split, table in tables.items():
        yield from check_missing(split, sorted(table["video"].unique()), videos)
        keyframes = table[table["video"].isin(list(videos))].drop_duplicates(KEYFRAME_COLUMNS)
        used |= set(keyframes["video"])
        try:
            durations_s = video_durations(keyframes["video"], videos, config.frames_fps)
        except DecodeError as error:
            yield Finding("error", split, str(error))
            continue
        try:
            candidates = candidate_offsets(config.offset_setting, videos)
        except (ValueError, OSError) as error:
            yield Finding("error", "data.timestamp_offset", str(error))
            continue
        yield from check_times(split, keyframes, durations_s, candidates, config.nominal_fps)
    if thorough:
        yield from check_contents([videos[video] for video in sorted(used)], config.open_options)
