"""What the tables call a movie's first second.

AVA counts from the start of the whole movie and labels its second quarter of an hour; many copies of it are cut there,
so that their second 0 is AVA's 900.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from avdet.datasets.keyframes import KeyframeTable
from avdet.media.video_source import duration_of

__all__ = ["AVA_CUT_S", "durations_of", "outside", "with_timestamp_offset"]

AVA_CUT_S = 900.0


def with_timestamp_offset(
    keyframes: KeyframeTable, movies: Mapping[str, Path], origin_s: float | Literal["auto"], annotations: Path
) -> KeyframeTable:
    """The keyframes with their origin; "auto" takes 0, or AVA_CUT_S where that fits every movie and 0 does not.

    Raises ValueError for the first movie that does not reach from the first to the last second it is labelled at.
    """
    durations_s = durations_of(keyframes, movies)
    tried = [0.0, AVA_CUT_S] if origin_s == "auto" else [origin_s]
    misfits = {origin: outside(keyframes, durations_s, origin) for origin in tried}
    for origin, misfit in misfits.items():
        if not misfit:
            return replace(keyframes, origin_s=origin)
    origin, misfit = min(misfits.items(), key=lambda tried: len(tried[1]))
    video, time_s = next(iter(misfit.items()))
    raise ValueError(
        f"{annotations} labels {video} at {time_s:g} s, but {movies[video]} lasts {durations_s[video]:.1f} s"
        f"{f' from {origin:g} s on' if origin else ''} ({len(misfit)} of {len(durations_s)} movies do not fit); times "
        "are seconds from the movie's start: if yours count from elsewhere, say so with data.timestamp_offset=SECONDS"
    )


def durations_of(keyframes: KeyframeTable, movies: Mapping[str, Path]) -> dict[str, float]:
    """Seconds that each labelled movie lasts."""
    return {video: duration_of(movies[video]) for video in sorted(set(keyframes.videos))}


def outside(keyframes: KeyframeTable, durations_s: Mapping[str, float], origin_s: float) -> dict[str, float]:
    """The movies with a label before their start or past their end, and the first such second."""
    ends_s = np.array([durations_s[video] for video in keyframes.videos])
    video_s = keyframes.times_s - origin_s
    misfit = (video_s < 0) | (video_s > ends_s)
    first = pd.Series(keyframes.times_s[misfit]).groupby(keyframes.videos[misfit]).first()
    return {str(video): float(time_s) for video, time_s in first.items()}
