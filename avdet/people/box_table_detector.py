"""A person detector that looks boxes up in a table: boxes detected before, or the ground truth."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from avdet.media.file_names import table_name
from avdet.people.box_table import complete_boxes, persons_from_rows
from avdet.people.person_detector import MIN_SCORES, KeyframeImage
from avdet.structures import PersonBoxes

__all__ = ["BoxTableDetector", "ground_truth_boxes", "require_distinct_persons"]


class BoxTableDetector:
    """Returns the boxes that a table has for an image's video and time, in the table's order; else no boxes."""

    needs_frames = False
    min_score = MIN_SCORES["csv"]

    def __init__(self, boxes: pd.DataFrame) -> None:
        """`boxes`: video, timestamp, x1, y1, x2, y2 and perhaps score and person_id, see `complete_boxes`."""
        boxes = complete_boxes(boxes)
        self._persons: dict[tuple[str, int], PersonBoxes] = {}
        self._times_s: dict[str, list[float]] = {}
        for video, rows_of_video in boxes.groupby("video"):
            times_s = self._times_s[str(video)] = []
            for time_ms, rows in rows_of_video.groupby(rows_of_video["timestamp"].map(_milliseconds)):
                self._persons[str(video), int(time_ms)] = persons_from_rows(rows)
                times_s.append(float(rows["timestamp"].min()))

    @property
    def videos(self) -> list[str]:
        """Videos that have boxes."""
        return list(self._times_s)

    def times_of(self, video: str) -> list[float]:
        """Times of a video's keyframes with boxes, ascending, exactly as in the table."""
        return self._times_s.get(table_name(video), [])

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        no_boxes = PersonBoxes.from_boxes(torch.zeros(0, 4))
        return [self._persons.get((table_name(image.video), _milliseconds(image.time_s)), no_boxes) for image in images]


def _milliseconds(time_s: float) -> int:
    """Times that round to the same millisecond are one keyframe."""
    return round(time_s * 1000)


def ground_truth_boxes(ground_truth: pd.DataFrame) -> pd.DataFrame:
    """Boxes of `ava_eval.read_ground_truth`'s table: each labelled person of a keyframe once, with score 1."""
    labelled = ground_truth[ground_truth["action_id"] > 0]
    persons = labelled.drop_duplicates(["video", "timestamp", *BOX_COLUMNS, "person_id"], ignore_index=True)
    return persons[["video", "timestamp", *BOX_COLUMNS, "person_id"]].assign(score=1.0)


def require_distinct_persons(boxes: pd.DataFrame, source: str) -> None:
    """Raises ValueError if one person id has two boxes at one time. `boxes`: rows of one video."""
    identified = boxes[boxes["person_id"] >= 0].drop_duplicates(["timestamp", *BOX_COLUMNS, "person_id"])
    twice = identified[identified.duplicated(["timestamp", "person_id"])]
    if len(twice):
        first = twice.iloc[0]
        raise ValueError(
            f"{source} has two boxes of person {first['person_id']:.0f} in {first['video']!r} at "
            f"{first['timestamp']:g} s; correct a person id, or set it to -1 where it is unknown"
        )
