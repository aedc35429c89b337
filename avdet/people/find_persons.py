"""Detects the persons of a whole video and links them over time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.media.file_names import nfc
from avdet.media.video_source import OpenOptions, duration_of, early_end_s, open_video
from avdet.people.box_table import box_table
from avdet.people.box_table_detector import BoxTableDetector
from avdet.people.person_detector import KeyframeImage, PersonDetector
from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes

__all__ = ["detect_persons_at", "find_persons", "frames_and_video_end_s", "keyframe_times", "video_name"]

logger = logging.getLogger(__name__)

MAX_RATE, MAX_KEYFRAMES = 1000, 10_000_000  # per second, of a video


def video_name(video: str | Path) -> str:
    """Name of a video in tables: the file's name without suffix, or the full name of a folder of frames."""
    path = Path(video)
    return nfc(path.name if path.is_dir() else path.stem)


def keyframe_times(duration_s: float, *, rate: float = 1.0) -> list[float]:
    """Times of `rate` keyframes per second, at multiples of 1 / rate as in AVA; the middle of a shorter video.

    A video of 4 s has keyframes at 1, 2 and 3 s.
    """
    if not 0 < rate <= MAX_RATE:
        raise ValueError(f"the keyframe rate is {rate:g} per second; use a finite number above 0, up to {MAX_RATE}")
    if not duration_s * rate <= MAX_KEYFRAMES:
        raise ValueError(
            f"{rate:g} keyframes per second of {duration_s:,.0f} s are over {MAX_KEYFRAMES:,}; lower the rate, or "
            "repair the file if it is not as long"
        )
    times_s = [number / rate for number in range(1, int(np.ceil(duration_s * rate - 1e-9)))]
    return times_s or [duration_s / 2]


def frames_and_video_end_s(video: Path, options: OpenOptions | None = None) -> tuple[float, float]:
    """(end of the frames, end of the video) in seconds. They differ only for a truncated file, which is logged."""
    with open_video(video, options=options) as reader:
        end_s, duration_s = early_end_s(reader), reader.info.duration_s
    if end_s is None:
        return duration_s, duration_s
    logger.warning(
        "%s is truncated: its header gives %.1f s, but its frames end at %.1f s; the rest is skipped: fetch the file "
        "again",
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
    options: OpenOptions | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """One row per person and keyframe: video, timestamp, x1, y1, x2, y2, score, person_id, sorted by time.

    Keyframes are at `times_s`, else where a box table has boxes, else `rate` per second. For the other arguments see
    `detect_persons_at`.
    """
    if times_s is None:
        if isinstance(detector, BoxTableDetector):
            times_s = detector.times_of(video_name(video))
            _warn_of_times_past_the_end(video, times_s, origin_s)
        else:
            times_s = [origin_s + t for t in keyframe_times(frames_and_video_end_s(Path(video), options)[0], rate=rate)]
    times_s = sorted(set(times_s))
    persons = detect_persons_at(
        video,
        detector,
        times_s,
        origin_s=origin_s,
        batch_size=batch_size,
        min_score=min_score,
        options=options,
        on_progress=on_progress,
    )
    return box_table(video_name(video), times_s, persons)


def detect_persons_at(
    video: str | Path,
    detector: PersonDetector,
    times_s: Sequence[float],
    *,
    origin_s: float = 0.0,
    batch_size: int = 8,
    min_score: float = 0.0,
    options: OpenOptions | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[PersonBoxes]:
    """Person boxes at each of the ascending times, with person ids that link them (`link_persons`).

    origin_s: the timestamp of the video's first second (900 for AVA's videos if they are trimmed to start there).
    min_score: boxes with a lower score are dropped. options: how the video is opened.
    on_progress: called with the number of keyframes done and their total.
    Memory holds one batch of frames, however long the video is.
    """
    name = video_name(video)
    found: list[PersonBoxes] = []
    with open_video(video, options=options) as reader:
        for first in range(0, len(times_s), batch_size):
            batch = times_s[first : first + batch_size]
            if detector.needs_frames:
                frames = reader.frames([t - origin_s for t in batch])
                images = [KeyframeImage(name, t, rgb) for t, rgb in zip(batch, frames, strict=True)]
            else:
                images = [KeyframeImage.without_frame(name, t) for t in batch]
            found += [persons.select(persons.scores >= min_score) for persons in detector(images)]
            on_progress(len(found), len(times_s))
    return link_persons(times_s, found)


def _warn_of_times_past_the_end(video: str | Path, times_s: Sequence[float], origin_s: float) -> None:
    """A table's timestamps may have another origin, as AVA's do; its boxes are linked all the same."""
    end_s = origin_s + duration_of(Path(video))
    if times_s and times_s[-1] > end_s:
        logger.warning(
            "%s: the table has boxes at %g s, but the video ends at %.1f s; timestamps are seconds",
            video,
            times_s[-1],
            end_s,
        )
