"""The labelled keyframes of a split, and which of them are used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from avdet.datasets.dataset import DataConfig, Split, evenly_spaced
from avdet.datasets.timestamp_offset import VideoOffsets
from avdet.datasets.video_files import table_name

__all__ = [
    "KeyframeSplit",
    "keyframe_index",
    "refuse_unknown_actions",
    "with_table_names",
    "with_video",
    "without_excluded",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeyframeSplit:
    """The labelled keyframes of a split.

    rows: the ground truth that is used: of videos that exist, at times that are not excluded. ground_truth: the whole
    annotation file. videos: files by name. offsets: the timestamp of the videos' first second.
    """

    rows: pd.DataFrame
    ground_truth: pd.DataFrame
    excluded: pd.DataFrame | None
    videos: Mapping[str, Path]
    offsets: VideoOffsets

    def spread(self, count: int) -> KeyframeSplit:
        """At most `count` keyframes with a labelled person, evenly spaced over the table."""
        keyframes = keyframe_index(self.rows[self.rows["action_id"] > 0]).unique()
        rows = self.rows[keyframe_index(self.rows).isin(keyframes[evenly_spaced(len(keyframes), count)])]
        return replace(self, rows=rows, ground_truth=rows)


def with_table_names(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its videos' names as `table_name` writes them, so that files and tables agree."""
    return table.assign(video=table["video"].map({name: table_name(str(name)) for name in table["video"].unique()}))


def refuse_unknown_actions(truth: pd.DataFrame, label_map: Mapping[int, str], file: Path) -> None:
    """Ids below the largest of the label map are allowed: AVA labels 80 classes and scores 60 of them."""
    known = max(label_map)
    largest = int(truth["action_id"].max()) if len(truth) else 0
    if largest > known:
        raise ValueError(
            f"{file} has the action id {largest}, but the label map ends at {known}; add the class to the label map or "
            "correct the row"
        )


def without_excluded(table: pd.DataFrame, excluded: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of `table` that are not at an excluded keyframe, with times in whole microseconds."""
    table = _to_microseconds(table)
    return table if excluded is None else table[~keyframe_index(table).isin(keyframe_index(excluded))]


def keyframe_index(table: pd.DataFrame) -> pd.MultiIndex:
    """(video, timestamp) of each row, the time in whole microseconds."""
    return pd.MultiIndex.from_frame(_to_microseconds(table)[KEYFRAME_COLUMNS])


def _to_microseconds(table: pd.DataFrame) -> pd.DataFrame:
    """Rounds times as the evaluator does, so that computed times compare equal."""
    return table.assign(timestamp=table["timestamp"].round(6))


def with_video(rows: pd.DataFrame, videos: Mapping[str, Path], split: Split, config: DataConfig) -> pd.DataFrame:
    """The rows whose video exists; logs how many keyframes are skipped.

    Raises ValueError if no video exists, or any is missing under `require_all_videos`.
    """
    used = rows[rows["video"].isin(list(videos))]
    missing = sorted(set(rows["video"]) - videos.keys())
    expected, total = rows["video"].nunique(), len(rows.drop_duplicates(KEYFRAME_COLUMNS))
    count = len(used.drop_duplicates(KEYFRAME_COLUMNS))
    found = expected - len(missing)
    coverage = f"{expected} videos expected, {found or 'none'} found"
    if missing:
        coverage += f"; {len(missing)} missing" * bool(found) + f" -> {total - count:,} of {total:,} keyframes skipped"
    persons = used[used["action_id"] > 0].drop_duplicates([*KEYFRAME_COLUMNS, *BOX_COLUMNS, "person_id"])
    logger.info("%s: %s; %s keyframes, %s persons", split, coverage, f"{count:,}", f"{len(persons):,}")
    if not count or (config.require_all_videos and missing):
        examples = ", ".join(missing[:3]) + ", ..." * (len(missing) > 3)
        way_out = ", or set data.require_all_videos=false" if count else ""
        raise ValueError(f"{split}: {coverage}; {examples} not in {config.videos.absolute()}: add them{way_out}")
    return used
