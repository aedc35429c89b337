"""From imported rows to a data set: person ids, train and val split, and files in AVA's format."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from ava_eval.csv_format import MAX_VALUES
from avdet.annotations.importers.rows import NO_PERSON
from avdet.atomic_write import atomic_write
from avdet.datasets.draw_val import draw_val, group_names, one_sided

__all__ = [
    "merge_tables",
    "require_no_overwrite",
    "split_videos",
    "subsample_keyframes",
    "videos_with_shared_ids",
    "write_dataset",
]

TIME_TOLERANCE_S = 0.001
NAME_WITH_NUMBER = re.compile(r"\D*(\d+)\D*")


def merge_tables(tables: Sequence[pd.DataFrame], omitted: Counter[str]) -> pd.DataFrame:
    """Concatenates the rows of several files, sorted, with numeric person ids; duplicate rows are omitted.

    A row without a person id is a duplicate of a row for the same box and action that has one.
    """
    table = pd.concat(tables, ignore_index=True)
    keys = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action"]
    without_id = table["person_id"] == ""
    with_id = pd.MultiIndex.from_frame(table.loc[~without_id, keys])
    labelled = pd.MultiIndex.from_frame(table.loc[table["action"] != "", KEYFRAME_COLUMNS])
    is_empty = table["action"] == ""
    is_redundant = is_empty & pd.MultiIndex.from_frame(table[KEYFRAME_COLUMNS]).isin(labelled)
    omitted["keyframes listed as empty that have actions"] += int(is_redundant.sum())
    table, without_id = table[~is_redundant], without_id[~is_redundant]
    is_duplicate = table.duplicated() | (without_id & pd.MultiIndex.from_frame(table[keys]).isin(with_id))
    omitted["duplicate rows"] += int(is_duplicate.sum())
    table = table[~is_duplicate].assign(person_id=lambda kept: _numeric_ids(kept["person_id"]))
    return table.sort_values([*KEYFRAME_COLUMNS, "person_id", "action"], kind="stable", ignore_index=True)


def _numeric_ids(names: pd.Series) -> pd.Series:
    """The number in names such as 3 or P3; -1 if unknown. Without distinct numbers, names are numbered in order."""
    persons = sorted(set(names) - {""})
    matches = [NAME_WITH_NUMBER.fullmatch(person) for person in persons]
    ids = {person: int(match[1]) for person, match in zip(persons, matches, strict=True) if match}
    if len(set(ids.values())) < len(persons) or max(ids.values(), default=0) > MAX_VALUES["person_id"]:
        ids = {person: index for index, person in enumerate(persons)}
    return names.map(ids).fillna(NO_PERSON).astype(int)


def videos_with_shared_ids(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Returns the videos in which several tables have the same person id, sorted."""
    persons = [set(zip(table["video"], table["person_id"], strict=True)) for table in tables]
    counts = Counter(chain.from_iterable(persons))
    return sorted({video for (video, person), count in counts.items() if person and count > 1})


def subsample_keyframes(table: pd.DataFrame, interval_s: float) -> pd.DataFrame:
    """Returns the rows of keyframes at least `interval_s` apart, starting with each video's first one.

    Keyframes without persons are selected apart, so that they do not displace the others.
    """
    kept = []
    for (video, _), times_s in table.groupby(["video", table["action"] == ""], sort=True)["timestamp"]:
        last_s = -np.inf
        for time_s in sorted(set(times_s)):
            if time_s >= last_s + interval_s - TIME_TOLERANCE_S:
                kept.append((video, time_s))
                last_s = time_s
    return table[pd.MultiIndex.from_frame(table[KEYFRAME_COLUMNS]).isin(kept)]


def split_videos(
    table: pd.DataFrame, val_fraction: float, seed: int, group_by: str | None = None
) -> tuple[set[str], list[str]]:
    """The videos of the val split, and the classes that are in train or val alone; see `draw_val`.

    group_by: a regular expression in the videos' names, by which the videos of a group stay together. Raises ValueError
    for fewer than two videos or groups.
    """
    names = sorted(set(table["video"]))
    if len(names) < 2:
        raise ValueError(
            "one video cannot be both in train and in val; annotate a second one, or give --val-fraction 0 and a "
            "val.csv of your own"
        )
    classes = {str(name): set(actions) - {""} for name, actions in table.groupby("video")["action"]}
    groups = group_names(names, group_by)
    val = draw_val(classes, groups, fraction=val_fraction, seed=seed)
    return val, one_sided(classes, groups, val)


def require_no_overwrite(folder: Path, *, has_val: bool) -> None:
    """Raises ValueError if `write_dataset` could not create the folder, or would overwrite a file."""
    blocking = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if blocking is not None:
        raise ValueError(f"--output {folder}: {blocking} is a file; give a folder for the data set")
    for name in ("train.csv", "val.csv", "classes.txt"):
        if (folder / name).exists() and (has_val or name != "val.csv"):
            raise ValueError(f"{folder / name} exists and is not overwritten; remove it or give another --output")


def write_dataset(table: pd.DataFrame, val: set[str], folder: Path) -> list[str]:
    """Writes train.csv, val.csv and classes.txt (ids from 1, in alphabetical order); returns the class names.

    Without videos for val, val.csv is not written: an existing one is the user's.
    """
    names = sorted(set(table["action"]) - {""})
    ids = {name: action_id for action_id, name in enumerate(names, start=1)}
    times = table["timestamp"].map("{:.13g}".format)  # microseconds, up to eleven days
    persons = table["person_id"].astype("Int64").mask(table["action"] == "")
    rows = table.assign(action_id=table["action"].map(ids).astype("Int64"), timestamp=times, person_id=persons)
    columns = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "person_id"]
    is_val = rows["video"].isin(val)
    for split, part in (("train", rows[~is_val]), ("val", rows[is_val])):
        if len(part):
            text = part[columns].to_csv(header=False, index=False, float_format="%.6g", lineterminator="\n")
            text = re.sub(r",+$", "", text, flags=re.MULTILINE)  # a keyframe without persons is video,timestamp
            with atomic_write(folder / f"{split}.csv") as partial:
                partial.write_text(text, encoding="utf-8")
    with atomic_write(folder / "classes.txt") as partial:
        partial.write_text("".join(f"{ids[name]}: {name}\n" for name in names), encoding="utf-8")
    return names
