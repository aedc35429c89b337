"""Draws validation videos so that each class is on both sides, and the videos of a group on one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np

__all__ = ["draw_val", "group_names", "one_sided"]

ATTEMPTS = 200


def group_names(names: Collection[str], pattern: str | None) -> dict[str, str]:
    """The group of each video: what a regular expression finds in its name, such as `cam\\d+`; None: the name.

    Parts in parentheses are the group alone. Raises ValueError for an invalid pattern, and for a name without it.
    """
    if pattern is None:
        return {name: name for name in names}
    try:
        found = {name: re.search(pattern, name) for name in names}
    except re.error as error:
        raise ValueError(
            f"the pattern {pattern!r} is no regular expression ({error}); give one such as cam[0-9]+"
        ) from None
    without = sorted(name for name, match in found.items() if match is None)
    if without:
        raise ValueError(
            f"the pattern {pattern!r} is not in {len(without)} of {len(names)} names, such as {without[0]!r}; correct "
            "the pattern, or rename the videos"
        )
    return {name: " ".join(match.groups("")) or match[0] for name, match in found.items() if match is not None}


def draw_val(
    classes: Mapping[str, Collection[str]], groups: Mapping[str, str], *, fraction: float, seed: int
) -> set[str]:
    """The videos of the validation split: about that fraction, at least one group and not all.

    classes, groups: of each video by name. Of many random draws, the one that leaves the fewest classes on one side
    only and then is nearest to the fraction. Raises ValueError for fewer than two groups.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(classes):
        members.setdefault(groups[name], []).append(name)
    if len(members) < 2:
        raise ValueError(
            f"{len(classes)} videos of one group cannot be both in train and in val; add a second one, or provide your "
            "own val split"
        )
    rng = np.random.default_rng(seed)
    draws = [_draw(members, classes, fraction * len(classes), rng) for _ in range(ATTEMPTS)]
    scores = [(len(one_sided(classes, groups, val)), abs(len(val) - fraction * len(classes))) for val in draws]
    return draws[min(range(ATTEMPTS), key=scores.__getitem__)]


def one_sided(classes: Mapping[str, Collection[str]], groups: Mapping[str, str], val: Collection[str]) -> list[str]:
    """The classes that are in train or val alone, each with its number of videos and groups: `wave (1 video)`."""
    videos = Counter(label for labels in classes.values() for label in set(labels))
    in_val = {label for name in val for label in classes[name]}
    in_train = {label for name in classes.keys() - set(val) for label in classes[name]}
    num_groups = {label: len({groups[name] for name in classes if label in classes[name]}) for label in videos}
    return [
        f"{label} ({videos[label]} video{'s' * (videos[label] > 1)}"
        + f" of {num_groups[label]} group{'s' * (num_groups[label] > 1)}" * (num_groups[label] < videos[label])
        + ")"
        for label in sorted(in_train ^ in_val)
    ]


def _draw(
    members: Mapping[str, list[str]], classes: Mapping[str, Collection[str]], count: float, rng: np.random.Generator
) -> set[str]:
    """Takes groups in random order: first those that bring a class to val, then as many videos as `count`.

    A group with the last video of a class in train stays there.
    """
    labels = {group: {label for name in names for label in classes[name]} for group, names in members.items()}
    left = Counter(label for found in labels.values() for label in found)
    order = [str(group) for group in rng.permutation(sorted(members))]
    val: list[str] = []
    missing = {label for label, groups in left.items() if groups > 1}
    for brings_a_class in (True, False):
        for group in sorted(order, key=lambda one: -len(labels[one] & missing)) if brings_a_class else order:
            size = sum(len(members[one]) for one in val)
            is_wanted = bool(labels[group] & missing) if brings_a_class else size + len(members[group]) / 2 <= count
            if group not in val and is_wanted and all(left[label] > 1 for label in labels[group]):
                val.append(group)
                left.subtract(labels[group])
                missing -= labels[group]
    return {name for group in val or order[:1] for name in members[group]}
