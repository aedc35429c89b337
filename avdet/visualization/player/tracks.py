"""Tables as the player reads them: each person's boxes and scores in the order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes
from avdet.visualization.person_timeline import usual_spacing

__all__ = ["Group", "class_names", "detected_group", "true_group"]

FAINTEST = 0.02  # fainter scores, most of a table, are left out of a page; if all are, its highest stay


@dataclass(frozen=True)
class Group:
    """The people of one table. reach_s: how long before and behind a keyframe its boxes are shown.

    tracks: {"id", "times", "boxes", "scores"}; of each of the times a box (normalised xyxy) and the scores
    [[class, score], ..], the highest first, with classes by their place in `class_names`.
    """

    reach_s: float
    tracks: list[dict[str, object]]

    def plain(self) -> dict[str, object]:
        return {"reach": round(self.reach_s, 4), "tracks": self.tracks}


def class_names(tables: list[pd.DataFrame], label_map: Mapping[int, str]) -> dict[int, str]:
    """The names of the action ids that occur, by id."""
    ids = sorted({int(action_id) for table in tables for action_id in table["action_id"].unique()})
    return {action_id: label_map.get(action_id, f"action {action_id}") for action_id in ids}


def detected_group(detections: pd.DataFrame, classes: Mapping[int, str]) -> Group:
    """Rows of one video; people without ids are linked from keyframe to keyframe."""
    scores = detections["score"]
    return _group(detections[scores >= min(FAINTEST, scores.max())], detections["timestamp"], classes)


def true_group(ground_truth: pd.DataFrame, classes: Mapping[int, str]) -> Group:
    """Rows of one video, all with score 1."""
    acting = ground_truth[ground_truth["action_id"] > 0].assign(score=1.0)
    return _group(acting, ground_truth["timestamp"], classes)


def _group(rows: pd.DataFrame, times_s: pd.Series, classes: Mapping[int, str]) -> Group:
    index_of = {action_id: index for index, action_id in enumerate(classes)}
    rows = _with_ids(rows).sort_values(["timestamp", "score"], ascending=[True, False], kind="stable")
    tracks = [
        _track(int(str(person_id)), theirs, index_of) for person_id, theirs in rows.groupby("person_id", sort=True)
    ]
    return Group(usual_spacing(np.unique(times_s.to_numpy(np.float64))) / 2, tracks)


def _track(person_id: int, rows: pd.DataFrame, index_of: Mapping[int, int]) -> dict[str, object]:
    times, boxes, scores = [], [], []
    for place, here in rows.groupby(["timestamp", *BOX_COLUMNS], sort=False):
        time_s, *box = map(float, cast(tuple[float, ...], place))
        times.append(round(time_s, 4))
        boxes.append([round(side, 4) for side in box])
        scores.append(
            [[index_of[a], round(float(s), 3)] for a, s in zip(here["action_id"], here["score"], strict=True)]
        )
    return {"id": person_id, "times": times, "boxes": boxes, "scores": scores}


def _with_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """Tables without ids get them by linking; in one with some, people without stay alone, with ids of their own."""
    if rows.empty or (rows["person_id"] >= 0).all():
        return rows
    people = (
        rows[["timestamp", *BOX_COLUMNS, "person_id"]]
        .drop_duplicates(["timestamp", *BOX_COLUMNS])
        .sort_values("timestamp")
    )
    if (people["person_id"] >= 0).any():
        people["person_id"] = people["person_id"].astype("int64")  # tables hold int32, and pandas keeps to it
        unknown = people["person_id"] < 0
        people.loc[unknown, "person_id"] = people["person_id"].max() + 1 + np.arange(unknown.sum())
    else:
        times = people["timestamp"].unique()
        boxes = [people.loc[people["timestamp"] == t, BOX_COLUMNS].to_numpy(np.float32, copy=True) for t in times]
        linked = link_persons(
            [float(t) for t in times],
            [PersonBoxes.from_boxes(torch.from_numpy(here)) for here in boxes],
        )
        people["person_id"] = torch.cat([one.person_ids for one in linked]).numpy()
    return rows.drop(columns="person_id").merge(
        people, on=["timestamp", *BOX_COLUMNS], how="left", validate="many_to_one"
    )
