"""Tables along tracks: scores smoothed over time, and tubes, which are one person's boxes from a start to an end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from avdet.people.tracks import MAX_GAP_S, tolerated_gap

__all__ = ["smooth_scores", "tube_table", "write_tubes"]

_TUBE_COLUMNS = ["start_s", "end_s", "keyframes", "score"]
_TIME_TOLERANCE_S = 1e-6  # rounding errors of times such as 0.1 + 0.2


def tube_table(table: pd.DataFrame, *, min_score: float = 0.0, max_gap_s: float = MAX_GAP_S) -> pd.DataFrame:
    """One row per tube: video, person_id, [action_id,] start_s, end_s, keyframes, score; by video, start and person.

    `table`: rows of boxes, or of detections, which give one tube per person and action. Rows below `min_score` and
    rows without a person id (-1) are left out. A tube ends where the next keyframe is later than the `tolerated_gap` of
    its video. Its score is the mean over its rows.
    """
    track = _track_columns(table)
    rows = table[(table["person_id"] >= 0) & (table["score"] >= min_score)].sort_values([*track, "timestamp"])
    gap_s = rows.groupby(track, observed=True)["timestamp"].diff()
    times = table.groupby("video", observed=True)["timestamp"]
    gaps_s = {video: tolerated_gap(np.unique(times_s.to_numpy(float)), max_gap_s) for video, times_s in times}
    rows = rows.assign(tube=(~(gap_s <= rows["video"].map(gaps_s).astype(float) + _TIME_TOLERANCE_S)).cumsum())
    tubes = rows.groupby([*track, "tube"], observed=True).agg(
        start_s=("timestamp", "min"), end_s=("timestamp", "max"), keyframes=("timestamp", "nunique"),
        score=("score", "mean"),
    )  # fmt: skip
    tubes = tubes.reset_index().sort_values(["video", "start_s", *track[1:]], ignore_index=True)
    return tubes[[*track, *_TUBE_COLUMNS]]


def write_tubes(tubes: pd.DataFrame, path: Path, action_names: Mapping[int, str]) -> None:
    """Writes a CSV with a header and the actions' names; times are rounded to milliseconds."""
    named = tubes.assign(action=tubes["action_id"].map(action_names)).round({"start_s": 3, "end_s": 3, "score": 4})
    named.to_csv(path, index=False)


def smooth_scores(table: pd.DataFrame, window_s: float) -> pd.DataFrame:
    """Replaces each score by the mean of its track's scores at most `window_s` / 2 seconds before and after.

    `table`: rows of boxes, or of detections, which are smoothed action by action. Rows without a person id (-1) keep
    their score; the order of the rows stays.
    """
    if not window_s >= 0:
        raise ValueError(f"the smoothing window is {window_s} s; it must be 0 s or more")
    tracked = table[table["person_id"] >= 0]
    score = table["score"].to_numpy(np.float64, copy=True)
    position = np.flatnonzero(table["person_id"].to_numpy() >= 0)
    for _, rows in tracked.reset_index(drop=True).groupby(_track_columns(table), observed=True, sort=False):
        times_s, scores = rows["timestamp"].to_numpy(np.float64), rows["score"].to_numpy(np.float64)
        score[position[rows.index.to_numpy()]] = _moving_mean(times_s, scores, window_s)
    return table.assign(score=score)


def _moving_mean(times_s: NDArray[np.float64], scores: NDArray[np.float64], window_s: float) -> NDArray[np.float64]:
    order = np.argsort(times_s, kind="stable")
    times_s, total = times_s[order], np.concatenate([[0.0], np.cumsum(scores[order])])
    first = np.searchsorted(times_s, times_s - window_s / 2 - _TIME_TOLERANCE_S)
    last = np.searchsorted(times_s, times_s + window_s / 2 + _TIME_TOLERANCE_S)
    mean = np.empty_like(scores)
    mean[order] = (total[last] - total[first]) / (last - first)
    return mean


def _track_columns(table: pd.DataFrame) -> list[str]:
    return ["video", "person_id", *(["action_id"] if "action_id" in table else [])]
