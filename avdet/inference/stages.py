"""The steps from a video to person predictions, each of which can run in another process:

    keyframe_images -> person detector -> extract_clips -> score_persons

The unit of work is a chunk: a few consecutive keyframes of one video.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from avdet.boxes import scale_xyxy
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.inference.features import record_features
from avdet.inference.keyframe_reader import Source, keyframe_images, open_source, read_keyframes, source_name
from avdet.inference.predictions import PersonPredictions
from avdet.media.array_video import ArrayVideo
from avdet.media.file_names import table_name
from avdet.media.video_source import OpenOptions
from avdet.models.detect import Predicts, detect
from avdet.people.box_table import complete_boxes, require_normalized
from avdet.people.box_table_detector import BoxTableDetector, require_distinct_persons
from avdet.people.find_persons import MAX_RATE, frames_and_video_end_s, keyframe_times
from avdet.people.person_detector import KeyframeImage, PersonDetector
from avdet.structures import Clip, ClipBatch, PersonBoxes

__all__ = [
    "InferenceSettings",
    "Plan",
    "Source",
    "boxes_of_video",
    "extract_clips",
    "keyframe_images",
    "open_source",
    "require_boxes_of",
    "score_persons",
    "source_name",
    "with_persons",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InferenceSettings:
    """Which keyframes and persons of a video are scored.

    keyframe_rate: keyframes per second, from `start_s` to `end_s` (None: the end of the video).
    min_box_score: persons with a lower box score are not scored.
    chunk_size: keyframes per chunk; the frames and clips of one chunk are in memory at a time.
    """

    keyframe_rate: float = 1.0
    start_s: float = 0.0
    end_s: float | None = None
    min_box_score: float = 0.8
    chunk_size: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.keyframe_rate <= MAX_RATE:
            raise ValueError(
                f"the keyframe rate is {self.keyframe_rate:g} per second; it must be above 0 and at most {MAX_RATE}"
            )
        if not self.start_s >= 0 or (self.end_s is not None and not self.end_s > self.start_s):
            raise ValueError(
                f"the start is {self.start_s:g} s and the end {self.end_s} s; the start must be 0 or more, the end "
                "later than the start"
            )
        if self.chunk_size < 1:
            raise ValueError(f"a chunk has {self.chunk_size} keyframes; it must have 1 or more")

    def chunks(
        self, source: Source, boxes: BoxTableDetector | None, options: OpenOptions | None = None
    ) -> list[tuple[float, ...]]:
        """Keyframe times of each chunk: those of the boxes, else `keyframe_rate` per second; at least one.

        Raises ValueError if all boxes are past the video's end, or the start is.
        """
        if isinstance(source, ArrayVideo):
            frames_end_s = duration_s = source.info.duration_s
        else:
            frames_end_s, duration_s = frames_and_video_end_s(Path(source), options)
        if self.start_s >= frames_end_s:
            name = source_name(source)
            raise ValueError(f"{name} ends at {frames_end_s:.1f} s; the start, {self.start_s:g} s, must be earlier")
        end_s = min(frames_end_s, self.end_s if self.end_s is not None else frames_end_s)
        if boxes is not None:
            times_s = self._times_of_boxes(source, boxes, duration_s)
        else:
            times_s = keyframe_times(frames_end_s, rate=self.keyframe_rate)
        times_s = [t for t in times_s if self.start_s <= t <= end_s] or [(self.start_s + end_s) / 2]
        return [tuple(times_s[first : first + self.chunk_size]) for first in range(0, len(times_s), self.chunk_size)]

    def _times_of_boxes(self, source: Source, boxes: BoxTableDetector, duration_s: float) -> list[float]:
        """Times with a box that scores `min_box_score` or more; those past the video's end are left out and logged.

        Raises ValueError if all are past it: their clock is another one.
        """
        name = source_name(source)
        times_s = boxes.times_of(name)
        persons = boxes([KeyframeImage.without_frame(name, t) for t in times_s])
        times_s = [t for t, one in zip(times_s, persons, strict=True) if (one.scores >= self.min_box_score).any()]
        inside_s = [t for t in times_s if t <= duration_s]
        if times_s and not inside_s:
            raise ValueError(
                f"there are boxes at {times_s[-1]:g} s of {source}, which ends at {duration_s:.1f} s; timestamps are "
                "seconds from the video's start"
            )
        if len(inside_s) < len(times_s):
            logger.warning(
                "%s ends at %.1f s: the boxes of %d of %d keyframes are past it and left out, the first at %g s",
                name, duration_s, len(times_s) - len(inside_s), len(times_s), times_s[len(inside_s)],
            )  # fmt: skip
        if not times_s:
            logger.warning("%s: the table has no box with score >= %g; no person", name, self.min_box_score)
        return inside_s


@dataclass(frozen=True)
class Plan:
    """The keyframe times of a video, chunk by chunk, and the person detector that finds its persons."""

    source: Source
    settings: InferenceSettings
    chunks: list[tuple[float, ...]]
    person_detector: PersonDetector


def boxes_of_video(boxes: pd.DataFrame, source: Source) -> BoxTableDetector:
    """Detector with a video's rows of a table, see `complete_boxes`. Raises ValueError if they are invalid."""
    rows = complete_boxes(boxes)
    rows = rows[rows["video"] == table_name(source_name(source))]
    require_normalized(rows, "the table of boxes")
    require_distinct_persons(rows, "the table of boxes")
    return BoxTableDetector(rows)


def require_boxes_of(boxes: pd.DataFrame, sources: Sequence[Source]) -> None:
    """Raises ValueError if the table has boxes, but none of these videos."""
    names = [table_name(source_name(source)) for source in sources]
    known = set(complete_boxes(boxes)["video"])
    if known and not known & set(names):
        raise ValueError(
            f"there are no boxes of {names[0]!r}, but of {', '.join(sorted(known)[:3])}; their column video must hold "
            "the file's name"
        )


def extract_clips(
    source: Source,
    times_s: Sequence[float],
    persons: Sequence[PersonBoxes],
    extractor: ClipExtractor,
    *,
    short_side: int,
    min_box_score: float,
) -> ClipBatch | None:
    """Clips of the keyframes that have a box with score >= `min_box_score`; None if there are none."""
    kept = [(t, one) for t, one in zip(times_s, persons, strict=True) if (one.scores >= min_box_score).any()]
    if not kept:
        return None
    kept_s = [t for t, _ in kept]
    read = read_keyframes(source, kept_s, extractor, short_side=short_side, needs_frames=False)
    return with_persons([clip for _, clip in read], [one for _, one in kept], min_box_score)


def with_persons(clips: Sequence[Clip], persons: Sequence[PersonBoxes], min_box_score: float) -> ClipBatch | None:
    """The clips that have a box with score >= `min_box_score`, with these boxes; None if there are none."""
    kept = [(clip, one.select(one.scores >= min_box_score)) for clip, one in zip(clips, persons, strict=True)]
    scored = [
        replace(clip, people=one, boxes_px=scale_xyxy(one.boxes, clip.frames.shape[3], clip.frames.shape[2]))
        for clip, one in kept
        if len(one)
    ]
    return collate(scored) if scored else None


def score_persons(
    model: Predicts,
    times_s: Sequence[float],
    persons: Sequence[PersonBoxes],
    clips: ClipBatch | None,
    *,
    num_classes: int,
    min_box_score: float,
    device: torch.device,
    features: bool = False,
) -> PersonPredictions:
    """All persons; those below `min_box_score` keep NaN scores. `clips`: from `extract_clips` for the same persons."""
    predictions = PersonPredictions.unscored(times_s, persons, num_classes)
    if clips is None:
        return predictions
    with record_features(model) if features else nullcontext(None) as vectors:
        scores = torch.cat([detections.scores for detections in detect(model, clips, device)])
    scored = (torch.from_numpy(predictions.box_scores) >= min_box_score).numpy()  # float32, as in `extract_clips`
    predictions.scores[scored] = scores.numpy()
    if vectors is None:
        return predictions
    columns = np.zeros((len(predictions), vectors[0].shape[1]), np.float32)
    columns[scored] = torch.cat(vectors).numpy()
    return replace(predictions, features=columns)
