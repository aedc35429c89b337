"""Tubes: one person through time, or one person doing one thing, as a row with start, end and score."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.people.tracks import MAX_GAP_S, tolerated_gap

__all__ = ["tube_table", "write_tubes"]

COLUMNS = ["start_s", "end_s", "keyframes", "score"]
GAP_TOLERANCE_S = 1e-6


def tube_table(table: pd.DataFrame, *, min_score: float = 0.0, max_gap_s: float = MAX_GAP_S) -> pd.DataFrame:
    """A row a tube: video, person_id, [action_id,] start_s, end_s, keyframes, score; by video, start and person.

    `table`: rows of boxes, or of detections, which give a tube for each action of a person. Rows below `min_score` and
    without a person id (-1) belong to none. A tube ends where its next keyframe is later than the `tolerated_gap` of
    its video; its score is the mean of its rows', its boxes are the rows of that person and time.
    """
    track = ["video", "person_id", *(["action_id"] if "action_id" in table else [])]
    rows = table[(table["person_id"] >= 0) & (table["score"] >= min_score)].sort_values([*track, "timestamp"])
    gap_s = rows.groupby(track, observed=True)["timestamp"].diff()
    times = table.groupby("video", observed=True)["timestamp"]
    gaps_s = {video: tolerated_gap(np.unique(times_s.to_numpy(float)), max_gap_s) for video, times_s in times}
    rows = rows.assign(tube=(~(gap_s <= rows["video"].map(gaps_s).astype(float) + GAP_TOLERANCE_S)).cumsum())
    tubes = rows.groupby([*track, "tube"], observed=True).agg(
        start_s=("timestamp", "min"), end_s=("timestamp", "max"), keyframes=("timestamp", "nunique"),
        score=("score", "mean"),
    )  # fmt: skip
    return tubes.reset_index().sort_values(["video", "start_s", *track[1:]], ignore_index=True)[[*track, *COLUMNS]]


def write_tubes(tubes: pd.DataFrame, path: Path, action_names: Mapping[int, str]) -> None:
    """A CSV with a header and the actions' names; times to the millisecond."""
    named = tubes.assign(action=tubes["action_id"].map(action_names)).round({"start_s": 3, "end_s": 3, "score": 4})
    named.to_csv(path, index=False)
