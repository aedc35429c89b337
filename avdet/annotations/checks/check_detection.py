"""Is this data set what training needs? Every answer with a count, examples and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import pandas as pd

from ava_eval import KEYFRAME_COLUMNS
from avdet.annotations.checks.check_boxes import about_boxes, about_persons, about_proposals, about_training_boxes
from avdet.annotations.checks.check_labels import about_exclusive, about_names, about_rows, about_splits
from avdet.annotations.checks.check_times import about_times
from avdet.annotations.checks.check_videos import about_contents, about_missing
from avdet.annotations.checks.file_format import about_form
from avdet.annotations.checks.finding import Finding
from avdet.data.keyframes import labelled_keyframes
from avdet.datasets.dataset import Split, require_data
from avdet.datasets.detection import DetectionConfig, DetectionDataset, without_excluded
from avdet.datasets.timestamp_offset import video_durations
from avdet.datasets.video_files import videos_by_name
from avdet.media.media_file import DecodeError

__all__ = ["check_detection"]

SPLITS: tuple[Split, Split] = ("train", "val")


def check_detection(dataset: DetectionDataset[Any], *, thorough: bool = True) -> Iterator[Finding]:
    """All findings: errors, warnings and facts. A file that cannot be read ends the check with its error.

    thorough: also read the videos and measure the proposals' recall, which takes minutes on large sets.
    """
    config = dataset.config
    try:
        require_data(dataset)
        label_map, classes = dataset.label_map(), dataset.class_names()
        dataset.exclusive_groups(classes)
        tables: dict[Split, pd.DataFrame] = {
            split: without_excluded(dataset.ground_truth(split), dataset.excluded(split)) for split in SPLITS
        }
        boxes = {f"{split} boxes": dataset.person_boxes(split) for split in ("val", "train")}
    except ValueError as error:
        yield Finding("error", "files", str(error))
        return
    files = {**dataset.files("train"), **dataset.files("val")}
    yield from chain.from_iterable(about_form(path) for name, path in files.items() if name.endswith(("csv", "boxes")))
    yield from about_names(label_map, classes)
    yield from about_splits(tables)
    for split, table in tables.items():
        yield from about_rows(split, table, label_map, classes)
        yield from about_exclusive(split, table, label_map, config.exclusive_groups)
        yield from about_boxes(split, table)
        yield from about_persons(split, table)
    for about, found in boxes.items():
        if found is not None:
            yield from about_boxes(about, found)
    yield from _check_videos(config, tables, thorough=thorough)
    if thorough:
        if boxes["val boxes"] is not None:
            truth = labelled_keyframes(tables["val"], classes)
            yield from about_proposals(truth, boxes["val boxes"], config.min_box_score)
        if boxes["train boxes"] is not None:
            yield from about_training_boxes(labelled_keyframes(tables["train"], classes), boxes["train boxes"])


def _check_videos(
    config: DetectionConfig, tables: Mapping[Split, pd.DataFrame], *, thorough: bool
) -> Iterator[Finding]:
    videos = videos_by_name(config.videos)
    used: set[str] = set()
    for split, table in tables.items():
        yield from about_missing(split, sorted(table["video"].unique()), videos)
        keyframes = table[table["video"].isin(list(videos))].drop_duplicates(KEYFRAME_COLUMNS)
        used |= set(keyframes["video"])
        try:
            durations_s = video_durations(keyframes["video"], videos)
        except DecodeError as error:
            yield Finding("error", split, str(error))
            continue
        yield from about_times(split, keyframes, durations_s, config.timestamp_offset, config.nominal_fps)
    if thorough:
        yield from about_contents([videos[video] for video in sorted(used)])
