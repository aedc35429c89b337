"""Is this data set what training needs? Every answer with a count, examples and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pandas as pd

from ava_eval import read_excluded, read_ground_truth, read_label_map
from avdet.annotations.checks.check_boxes import about_boxes, about_persons, about_proposals, about_training_boxes
from avdet.annotations.checks.check_labels import about_exclusive, about_names, about_rows, about_splits
from avdet.annotations.checks.check_times import about_times
from avdet.annotations.checks.check_videos import about_contents, about_missing
from avdet.annotations.checks.file_format import about_form
from avdet.annotations.checks.finding import Finding
from avdet.datasets.data_settings import AvaData
from avdet.datasets.keyframes import ClassNames, labelled_keyframes, without_excluded
from avdet.datasets.locate import annotation_files, require_data
from avdet.datasets.proposals import read_proposals
from avdet.datasets.timestamp_offset import durations_of
from avdet.datasets.videos import find_videos_by_name, with_video_file
from avdet.media.media_file import DecodeError

__all__ = ["check_data", "refuse_faulty"]


def check_data(data: AvaData, *, thorough: bool = True) -> Iterator[Finding]:
    """All findings, errors and facts alike; a file that cannot be read at all ends the check with its error.

    Not thorough: without a look into the movies and at the proposals' recall, which take minutes on large sets.
    """
    try:
        require_data(data)
        label_map = read_label_map(data.annotations / data.label_map)
        classes = ClassNames.from_label_map(label_map)
        classes = classes.select(data.classes, "data.classes") if data.classes else classes
        for names in data.exclusive_groups:
            classes.indices(names, "data.exclusive_groups")
        tables = {split: _read(data, split) for split in ("train", "val")}
        boxes = {"val boxes": read_proposals(data.annotations / data.val_boxes)}
        if data.train_boxes is not None:
            boxes["train boxes"] = read_proposals(data.annotations / data.train_boxes)
    except ValueError as error:
        yield Finding("error", "files", str(error))
        return
    files = {**annotation_files(data, "train"), **annotation_files(data, "val")}
    yield from chain.from_iterable(about_form(path) for name, path in files.items() if name.endswith(("csv", "boxes")))
    yield from about_names(label_map, classes)
    yield from about_splits(tables)
    for split, table in tables.items():
        yield from about_rows(split, table, label_map, classes)
        yield from about_exclusive(split, table, label_map, data.exclusive_groups)
        yield from about_boxes(split, table)
        yield from about_persons(split, table)
    for about, found in boxes.items():
        yield from about_boxes(about, found)
    yield from _movies(data, tables, classes, thorough=thorough)
    if thorough:
        yield from about_proposals(labelled_keyframes(tables["val"], classes), boxes["val boxes"], data.min_box_score)
        if "train boxes" in boxes:
            yield from about_training_boxes(labelled_keyframes(tables["train"], classes), boxes["train boxes"])


def refuse_faulty(data: AvaData) -> None:
    """Raises ValueError with the first error of a quick check."""
    files = {split: annotation_files(data, split)[f"data.{split}_csv"] for split in ("train", "val")}
    for finding in check_data(data, thorough=False):
        if finding.level == "error":
            about = files.get(finding.about, finding.about)
            raise ValueError(f"{about}: {finding.message} (tools/check_data.py says all that it finds)")


def _read(data: AvaData, split: str) -> pd.DataFrame:
    files = annotation_files(data, split)
    excluded = files.get(f"data.{split}_excluded")
    truth = read_ground_truth(files[f"data.{split}_csv"])
    return without_excluded(truth, read_excluded(excluded) if excluded else None)


def _movies(
    data: AvaData, tables: dict[str, pd.DataFrame], classes: ClassNames, *, thorough: bool
) -> Iterator[Finding]:
    movies = find_videos_by_name(data.videos)
    used = set()
    for split, table in tables.items():
        yield from about_missing(split, sorted(table["video"].unique()), movies)
        keyframes, _ = with_video_file(labelled_keyframes(table, classes), movies)
        used |= set(keyframes.videos)
        try:
            durations_s = durations_of(keyframes, movies)
        except DecodeError as error:
            yield Finding("error", split, str(error))
            continue
        yield from about_times(split, keyframes, durations_s, data.timestamp_offset, data.nominal_fps)
    if thorough:
        yield from about_contents([movies[video] for video in sorted(used)])
