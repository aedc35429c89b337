"""Do the labelled seconds lie inside their movies? If not, what else may the numbers mean?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from avdet.annotations.checks.finding import Finding, counted, named
from avdet.datasets.timestamp_offset import AVA_CUT_S, first_outside

__all__ = ["about_times"]

MILLISECONDS = 1000.0
ROUND_S = (3600, 900, 600, 300, 100, 60, 50, 10, 1)  # of guesses at an origin the roundest is the best
SMALLEST_STEP_S = 0.01  # between two labels of a video
PLAUSIBLE_SHARE = 0.2  # of its movie, where the median label stands in a unit that is meant


def about_times(
    split: str,
    keyframes: pd.DataFrame,
    durations_s: Mapping[str, float],
    origin_s: float | Literal["auto"],
    nominal_fps: float,
) -> Iterator[Finding]:
    """keyframes: columns video and timestamp, of videos that exist."""
    if not len(keyframes):
        return
    tried = [0.0, AVA_CUT_S] if origin_s == "auto" else [origin_s]
    fitting = [origin for origin in tried if not first_outside(keyframes, durations_s, origin)]
    if fitting:
        where = f"the movies begin at the tables' second {fitting[0]:g}" if fitting[0] else "counted from their starts"
        yield Finding("fact", split, f"all times lie inside {counted(len(durations_s), 'movie')}, {where}")
        return
    misfits = min((first_outside(keyframes, durations_s, origin) for origin in tried), key=len)
    late = [f"{video} ({time_s:g} s of {durations_s[video]:.1f} s)" for video, time_s in misfits.items()]
    meaning = _meaning(keyframes, durations_s, nominal_fps)
    yield Finding("error", split, f"labelled before the start or past the end: {named(late, 'movie')}; {meaning}")


def _meaning(keyframes: pd.DataFrame, durations_s: Mapping[str, float], fps: float) -> str:
    """What would make all times fit."""
    for unit, name in ((MILLISECONDS, "milliseconds"), (fps, f"frame numbers at {fps:g} a second")):
        scaled = keyframes.assign(timestamp=keyframes["timestamp"] / unit)
        if _is_plausible(scaled, durations_s) and not first_outside(scaled, durations_s, 0.0):
            return f"they would fit as {name}: divide them by {unit:g}"
    times = keyframes.groupby("video")["timestamp"]
    lengths = np.array([durations_s[str(video)] for video in times.min().index])
    highest, lowest = times.min().min(), (times.max() - lengths).max()
    if lowest <= highest:
        origin_s = next((s for s in map(partial(_multiple_under, highest), ROUND_S) if s >= lowest), lowest)
        return f"they would fit if they count from second {origin_s:g}: data.timestamp_offset={origin_s:g} would say so"
    return "times are seconds from the movie's start: is it an excerpt, cut short, or another movie?"


def _is_plausible(keyframes: pd.DataFrame, durations_s: Mapping[str, float]) -> bool:
    """Labels are spread over their movies, and not denser than pictures are."""
    lengths = keyframes["video"].astype(str).map(durations_s)
    steps = keyframes.sort_values(["video", "timestamp"]).groupby("video")["timestamp"].diff().dropna()
    return bool(np.median(keyframes["timestamp"] / lengths) > PLAUSIBLE_SHARE and (steps >= SMALLEST_STEP_S).all())


def _multiple_under(highest: float, unit: float) -> float:
    return highest // unit * unit
