"""A video in, a table of its people out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.media.video_source import duration_of, early_end_s, open_video
from avdet.people.box_table import box_table
from avdet.people.box_table_detector import TableBoxes
from avdet.people.person_detector import PersonDetector, Picture
from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes

__all__ = ["detect_persons_at", "ends_s", "find_persons", "keyframe_times", "video_name"]

logger = logging.getLogger(__name__)
UNSEEN = np.zeros((1, 1, 3), np.uint8)  # for a detector that does not look


def video_name(video: str | Path) -> str:
    """What tables call it: a file's name without its suffix, or the name of a folder of frames."""
    path = Path(video)
    return path.name if path.is_dir() else path.stem


def keyframe_times(duration_s: float, *, rate: float = 1.0) -> list[float]:
    """`rate` keyframes a second, at whole multiples of its period as AVA has them; of a shorter video its middle.

    A video of 4 s has them at 1, 2 and 3 s.
    """
    if not 0 < rate < np.inf:
        raise ValueError(f"a rate of {rate:g} keyframes a second gives none; it must be a number above 0")
    times_s = [number / rate for number in range(1, int(np.ceil(duration_s * rate - 1e-9)))]
    return times_s or [duration_s / 2]


def ends_s(video: Path) -> tuple[float, float]:
    """(of its pictures, of the video): the same, but where a file breaks off before its end, which is said."""
    with open_video(video) as reader:
        end_s, duration_s = early_end_s(reader), reader.info.duration_s
    if end_s is None:
        return duration_s, duration_s
    logger.warning(
        "%s is cut short: it says it lasts %.1f s, but its pictures end at %.1f s; nothing behind it is looked "
        "at: fetch it again",
        video,
        duration_s,
        end_s,
    )
    return end_s, duration_s


def find_persons(
    video: str | Path,
    detector: PersonDetector,
    *,
    rate: float = 1.0,
    times_s: Sequence[float] | None = None,
    origin_s: float = 0.0,
    batch_size: int = 8,
    min_score: float = 0.0,
    on_picture: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """A row a person and keyframe: video, timestamp, x1, y1, x2, y2, score, person_id, sorted by time.

    Keyframes are at `times_s`, or `rate` a second, or where a table has its boxes. The rest is `detect_persons_at`'s.
    """
    if times_s is None:
        if isinstance(detector, TableBoxes):
            times_s = detector.times_of(video_name(video))
            _say_what_is_outside(video, times_s, origin_s)
        else:
            times_s = [origin_s + t for t in keyframe_times(ends_s(Path(video))[0], rate=rate)]
    times = sorted(set(times_s))
    people = detect_persons_at(
        video, detector, times, origin_s=origin_s, batch_size=batch_size, min_score=min_score, on_picture=on_picture
    )
    return box_table(video_name(video), times, people)


def detect_persons_at(
    video: str | Path,
    detector: PersonDetector,
    times_s: Sequence[float],
    *,
    origin_s: float = 0.0,
    batch_size: int = 8,
    min_score: float = 0.0,
    on_picture: Callable[[int, int], None] = lambda done, total: None,
) -> list[PersonBoxes]:
    """The people at each of the times, which rise, with ids that link them (`link_persons`).

    Times count from `origin_s`, which is what they call the video's first second (900 for AVA's movies cut there).
    Boxes with less than `min_score` are left out. `on_picture` hears how many pictures are done, of how many. Holds a
    batch of pictures at a time, however long the video is.
    """
    name = video_name(video)
    found: list[PersonBoxes] = []
    with open_video(video) as reader:
        for first in range(0, len(times_s), batch_size):
            batch = times_s[first : first + batch_size]
            frames = reader.frames([t - origin_s for t in batch]) if detector.needs_frames else [UNSEEN] * len(batch)
            people = detector([Picture(name, t, rgb) for t, rgb in zip(batch, frames, strict=True)])
            found += [one.select(one.scores >= min_score) for one in people]
            on_picture(len(found), len(times_s))
    return link_persons(times_s, found)


def _say_what_is_outside(video: str | Path, times_s: Sequence[float], origin_s: float) -> None:
    """A table may count from elsewhere, as AVA's does; its boxes are linked all the same."""
    end_s = origin_s + duration_of(Path(video))
    if times_s and times_s[-1] > end_s:
        logger.warning(
            "%s: the table has somebody at %g s, but the video ends at %.1f s; times are seconds",
            video,
            times_s[-1],
            end_s,
        )
