"""People that somebody else found: a table of boxes, or the ground truth, answers as a detector does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from avdet.people.box_table import people_of_rows
from avdet.people.person_detector import Picture
from avdet.structures import PersonBoxes

__all__ = ["TableBoxes", "boxes_of_ground_truth"]


class TableBoxes:
    """Gives the boxes that a table has at a picture's video and time; nobody where it has none."""

    needs_frames = False

    def __init__(self, boxes: pd.DataFrame) -> None:
        """`boxes`: video, timestamp, x1, y1, x2, y2, score, person_id, as `ava_eval.read_boxes` gives them."""
        ordered = boxes.sort_values("score", ascending=False, kind="stable")
        keys = [ordered["video"].astype(str), ordered["timestamp"].map(_milliseconds)]
        moments = [(cast("tuple[str, int]", key), rows) for key, rows in ordered.groupby(keys)]
        self._rows = {key: people_of_rows(rows) for key, rows in moments}
        self._times: dict[str, list[float]] = {}
        for (video, _), rows in moments:
            self._times.setdefault(video, []).append(float(rows["timestamp"].min()))

    @property
    def videos(self) -> list[str]:
        """Those in which it has somebody."""
        return list(self._times)

    def times_of(self, video: str) -> list[float]:
        """The times at which it has somebody, as they stand in the table."""
        return self._times.get(video, [])

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]:
        nobody = PersonBoxes.from_boxes(torch.zeros(0, 4))
        return [self._rows.get((picture.video, _milliseconds(picture.time_s)), nobody) for picture in pictures]


def _milliseconds(time_s: float) -> int:
    """Times are the same that are the same to these."""
    return round(time_s * 1000)


def boxes_of_ground_truth(ground_truth: pd.DataFrame) -> pd.DataFrame:
    """Each labelled person of a keyframe once, with score 1, of a table by `ava_eval.read_ground_truth`."""
    acts = ground_truth[ground_truth["action_id"] > 0]
    people = acts.drop_duplicates(["video", "timestamp", *BOX_COLUMNS, "person_id"], ignore_index=True)
    return people[["video", "timestamp", *BOX_COLUMNS, "person_id"]].assign(score=1.0)
