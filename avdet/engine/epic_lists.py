"""What a score of EPIC-Kitchens needs beside its clips: read before any work, since the files may be faulty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avdet.data.build_clips import read_annotations
from avdet.datasets.data_settings import ClipData, EpicData
from avdet.datasets.epic_scores import Actions
from avdet.datasets.epic_subsets import EpicSubsets, build_epic_subsets

__all__ = ["EpicLists", "read_epic_lists"]


@dataclass(frozen=True)
class EpicLists:
    """The actions that occur in training, and what is scored apart."""

    actions: Actions
    subsets: EpicSubsets


def read_epic_lists(data: ClipData) -> EpicLists | None:
    """None for another benchmark."""
    return EpicLists(_actions(data), build_epic_subsets(data)) if isinstance(data, EpicData) else None


def _actions(data: EpicData) -> Actions:
    """The pairs of verb and noun that occur in training; none where a model predicts only one of them."""
    labels = read_annotations(data, "train", {}).labels
    if set(labels) != {"verb", "noun"}:
        return Actions(np.zeros((0, 2), np.int64))
    actions = Actions.occurring(labels["verb"], labels["noun"])
    if not len(actions.pairs):
        raise ValueError(f"{data.annotations / data.train_csv} has no row with a verb and a noun; give EPIC's own file")
    return actions
