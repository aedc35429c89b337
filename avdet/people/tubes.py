"""Tables along tracks: scores smoothed over time, and tubes, which are one person's boxes from a start to an end."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ava_eval import BOX_COLUMNS
from avdet.people.tracks import MAX_GAP_S, keyframe_interval, tolerated_gap

__all__ = ["rounded_tubes", "smooth_scores", "tube_table"]

_TUBE_COLUMNS = ["start_s", "end_s", "duration_s", "keyframes", "score", "peak_s", "peak_score"]
_TIME_TOLERANCE_S = 1e-6  # rounding errors of times such as 0.1 + 0.2


def tube_table(table: pd.DataFrame, *, min_score: float = 0.0, max_gap_s: float = MAX_GAP_S) -> pd.DataFrame:
    """One row per tube, by video, start and person.

    Columns: video, person_id, [action_id,] start_s, end_s, duration_s, keyframes, score, peak_s, peak_score and, if the
    table has boxes, x1, y1, x2, y2, which contain all boxes of the tube.

    `table`: rows of boxes, or of detections, which give one tube per person and action. Rows below `min_score` and
    rows without a person id (-1) are left out. A tube ends where the next keyframe is later than the `tolerated_gap` of
    its video. start_s and end_s are its first and last keyframe; each stands for one keyframe interval of the
    duration. The score is the mean over its rows; the highest is at peak_s.
    """
    track = _track_columns(table)
    rows = table[(table["person_id"] >= 0) & (table["score"] >= min_score)].sort_values([*track, "timestamp"])
    gap_s = rows.groupby(track, observed=True)["timestamp"].diff()
    times = table.groupby("video", observed=True)["timestamp"]
    gaps_s = {video: tolerated_gap(np.unique(times_s.to_numpy(float)), max_gap_s) for video, times_s in times}
    rows = rows.assign(tube=(~(gap_s <= rows["video"].map(gaps_s).astype(float) + _TIME_TOLERANCE_S)).cumsum())
    keys = [*track, "tube"]
    highest = rows.groupby(keys, observed=True)["score"].transform("max")
    rows = rows.assign(peak_s=rows["timestamp"].where(rows["score"] == highest))
    has_boxes = set(BOX_COLUMNS) <= set(table)
    tubes = rows.groupby(keys, observed=True).agg(
        start_s=("timestamp", "min"), end_s=("timestamp", "max"), keyframes=("timestamp", "nunique"),
        score=("score", "mean"), peak_s=("peak_s", "min"), peak_score=("score", "max"),
        **{side: (side, "min" if side in {"x1", "y1"} else "max") for side in BOX_COLUMNS if has_boxes},
    )  # fmt: skip
    tubes = tubes.reset_index().sort_values(["video", "start_s", *track[1:]], ignore_index=True)
    intervals_s = {video: keyframe_interval(np.unique(times_s.to_numpy(float))) for video, times_s in times}
    tubes["duration_s"] = tubes["end_s"] - tubes["start_s"] + tubes["video"].map(intervals_s).astype(float)
    return tubes[[*track, *_TUBE_COLUMNS, *(BOX_COLUMNS if has_boxes else [])]]


def rounded_tubes(tubes: pd.DataFrame) -> pd.DataFrame:
    """The `tube_table` for a CSV: times in milliseconds, scores and boxes with four digits."""
    digits = {"start_s": 3, "end_s": 3, "duration_s": 3, "peak_s": 3, "score": 4, "peak_score": 4}
    return tubes.round(digits | dict.fromkeys(BOX_COLUMNS, 4))


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
