"""The participants and classes that EPIC-Kitchens scores apart, from its own lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdet.datasets.data_settings import EpicData
from avdet.datasets.epic import epic_classes, read_class_ids, read_participants

__all__ = ["EpicSubsets", "build_epic_subsets"]


@dataclass(frozen=True)
class EpicSubsets:
    """Class indices and participants that are scored apart; None where the benchmark has no such list."""

    unseen: Collection[str] | None = None
    tail: Mapping[str, Collection[int]] | None = None  # by "verb", "noun"
    many_shot: Mapping[str, Collection[Any]] | None = None  # by "verb", "noun", "action": pairs


def build_epic_subsets(data: EpicData) -> EpicSubsets:
    """Raises ValueError for a list with the id of no class."""
    folder, unseen = data.annotations, None
    files = {"verb": data.verb_classes, "noun": data.noun_classes}

    def listed(path: Path, columns: Mapping[str, str]) -> list[tuple[int, ...]]:
        """Class indices; columns: of each class set."""
        index = {name: {one: i for i, one in enumerate(epic_classes(folder / files[name]).ids)} for name in columns}
        found = sorted(read_class_ids(folder / path, list(columns.values())))
        for name, *ids in zip(columns, *found, strict=True):
            if unknown := set(ids) - index[name].keys():
                raise ValueError(
                    f"{folder / path} lists the {name} {min(unknown)}, which is no class; give that of the same release"
                )
        return [tuple(index[name][i] for name, i in zip(columns, ids, strict=True)) for ids in found]

    if data.unseen_participants is not None:
        unseen = read_participants(folder / data.unseen_participants)
    tails = {"verb": data.tail_verbs, "noun": data.tail_nouns}
    tail = {name: [i for (i,) in listed(path, {name: name})] for name, path in tails.items() if path}
    many: dict[str, Collection[Any]] = {}
    for name, path in {"verb": data.many_shot_verbs, "noun": data.many_shot_nouns}.items():
        if path is not None:
            many[name] = [i for (i,) in listed(path, {name: f"{name}_class"})]
    if data.many_shot_actions is not None:
        many["action"] = listed(data.many_shot_actions, {"verb": "verb_class", "noun": "noun_class"})
    return EpicSubsets(unseen, tail or None, many or None)
