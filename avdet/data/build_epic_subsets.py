"""The participants and classes that EPIC-Kitchens scores apart, from its own lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from avdet.data.epic import read_class_ids, read_participants
from avdet.data_settings import EpicData

__all__ = ["EpicSubsets", "build_epic_subsets"]


@dataclass(frozen=True)
class EpicSubsets:
    """Class indices and participants that are scored apart; None where the benchmark has no such list."""

    unseen: Collection[str] | None = None
    tail: Mapping[str, Collection[int]] | None = None  # by "verb", "noun"
    many_shot: Mapping[str, Collection[Any]] | None = None  # by "verb", "noun", "action": pairs


def build_epic_subsets(data: EpicData) -> EpicSubsets:
    """The files list EPIC's ids, which are also the classes' indices: both count from 0."""
    folder, unseen = data.annotations, None
    if data.unseen_participants is not None:
        unseen = read_participants(folder / data.unseen_participants)
    tails = {"verb": data.tail_verbs, "noun": data.tail_nouns}
    tail = {name: [i for (i,) in read_class_ids(folder / path, [name])] for name, path in tails.items() if path}
    many: dict[str, Collection[Any]] = {}
    for name, path in {"verb": data.many_shot_verbs, "noun": data.many_shot_nouns}.items():
        if path is not None:
            many[name] = [i for (i,) in read_class_ids(folder / path, [f"{name}_class"])]
    if data.many_shot_actions is not None:
        many["action"] = read_class_ids(folder / data.many_shot_actions, ["verb_class", "noun_class"])
    return EpicSubsets(unseen, tail or None, many or None)
