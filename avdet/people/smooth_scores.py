"""Scores along a track: what a person is, or does, does not flicker from keyframe to keyframe."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["smooth_scores"]


def smooth_scores(table: pd.DataFrame, window_s: float) -> pd.DataFrame:
    """Each score becomes the mean of its track's scores at most `window_s` / 2 seconds before and after.

    `table`: rows of boxes, or of detections, whose tracks are smoothed action by action. Rows without a person id (-1)
    keep their score; the order of the rows stays.
    """
    if not window_s >= 0:
        raise ValueError(f"a window of {window_s} s is none; give 0 seconds or more")
    known = table[table["person_id"] >= 0]
    track = ["video", "person_id", *(["action_id"] if "action_id" in table else [])]
    score = table["score"].to_numpy(np.float64, copy=True)
    place = pd.Series(np.flatnonzero(table["person_id"].to_numpy() >= 0), index=known.index)
    for _, rows in known.reset_index(drop=True).groupby(track, observed=True, sort=False):
        at = place.to_numpy()[rows.index.to_numpy()]
        score[at] = _moving_mean(rows["timestamp"].to_numpy(np.float64), rows["score"].to_numpy(np.float64), window_s)
    return table.assign(score=score)


def _moving_mean(times_s: NDArray[np.float64], scores: NDArray[np.float64], window_s: float) -> NDArray[np.float64]:
    order = np.argsort(times_s, kind="stable")
    times_s, total = times_s[order], np.concatenate([[0.0], np.cumsum(scores[order])])
    tolerance_s = 1e-6  # of times such as 0.1 + 0.2
    first = np.searchsorted(times_s, times_s - window_s / 2 - tolerance_s)
    last = np.searchsorted(times_s, times_s + window_s / 2 + tolerance_s)
    mean = np.empty_like(scores)
    mean[order] = (total[last] - total[first]) / (last - first)
    return mean
