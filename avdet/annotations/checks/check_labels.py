"""Classes and the rows that carry them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from os.path import commonprefix

import pandas as pd

from ava_eval import BOX_COLUMNS
from avdet.annotations.checks.finding import Finding, Level, counted, named
from avdet.datasets.keyframes import ClassNames

__all__ = ["about_exclusive", "about_names", "about_rows", "about_splits"]

FEW_ROWS = 20  # a class with fewer training rows learns next to nothing


def about_names(label_map: Mapping[int, str], classes: ClassNames) -> Iterator[Finding]:
    """The classes, and those that are probably one, written in two ways."""
    used = (
        f"{len(classes)} of its {len(label_map)} classes"
        if len(classes) < len(label_map)
        else f"{len(classes)} classes"
    )
    yield Finding(
        "fact", "classes", f"{used} are learned: {', '.join(classes.names[:5])}{', ...' * (len(classes) > 5)}"
    )
    pairs = [f"{a!r} and {b!r}" for a, b in combinations(classes.names, 2) if _a_slip_apart(a, b)]
    if pairs:
        yield Finding("warning", "classes", f"{named(pairs, 'pair')} look alike; is one of them misspelt?")


def about_rows(split: str, table: pd.DataFrame, label_map: Mapping[int, str], classes: ClassNames) -> Iterator[Finding]:
    """Ids without a name, rare and empty classes, repeated rows, keyframes with nobody."""
    acts = table[table["action_id"] > 0]
    counts = acts["action_id"].value_counts()
    unknown = sorted(set(counts.index) - label_map.keys())
    if unknown:
        rows = int(counts[unknown].sum())
        level: Level = "error" if rows == len(acts) or unknown[-1] > max(label_map) else "warning"
        yield Finding(
            level,
            split,
            f"{named([str(i) for i in unknown], 'action id')} ({counted(rows, 'row')}) not in the label map, which "
            f"has {min(label_map)} to {max(label_map)}; add them there, or correct the rows",
        )
    if len(table) and not counts.reindex(list(classes.ids)).any():
        yield Finding("error", split, "no row has an action that is learned; is it the right file, and data.classes?")
        return
    empty = [name for i, name in classes.label_map.items() if not counts.get(i, 0)]
    if empty:
        yield Finding("warning", split, f"no row at all: {named(empty, 'class')}; nothing can be said about them")
    rare = [f"{name} ({counts[i]})" for i, name in classes.label_map.items() if 0 < counts.get(i, 0) < FEW_ROWS]
    if rare and split == "train":
        yield Finding(
            "warning",
            split,
            f"under {FEW_ROWS} rows: {named(rare, 'class')}; they will hardly be learned (data.repeat_threshold and "
            "data.class_weights help a little, more rows help)",
        )
    repeated = int(acts.duplicated().sum())
    if repeated:
        yield Finding("warning", split, f"{counted(repeated, 'row')} twice in the table; remove the copies")
    unlabelled = len(table) - len(acts)
    if unlabelled:
        yield Finding("fact", split, f"{counted(unlabelled, 'keyframe')} with nobody in it")


def about_exclusive(
    split: str, table: pd.DataFrame, label_map: Mapping[int, str], sets: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    """Does a person do one at most of the classes of a set?"""
    names = table["action_id"].map(label_map)
    for members in sets:
        acts = table[names.isin(members)].drop_duplicates(["video", "timestamp", *BOX_COLUMNS, "action_id"])
        several = acts[acts.duplicated(["video", "timestamp", *BOX_COLUMNS])]
        if len(several):
            first = several.iloc[0]
            yield Finding(
                "warning",
                split,
                f"{counted(len(several), 'row')} too many: data.exclusive_groups says that a person does one of "
                f"{', '.join(members)}, and in {first['video']} at {first['timestamp']:g} s somebody does two",
            )


def about_splits(tables: Mapping[str, pd.DataFrame]) -> Iterator[Finding]:
    """Sizes, and videos that are in both."""
    common = sorted(set(tables["train"]["video"]) & set(tables["val"]["video"]))
    if common:
        yield Finding("error", "splits", f"{named(common, 'video')} in both train and val; take them out of one")
    for split, table in tables.items():
        keyframes = len(table.drop_duplicates(["video", "timestamp"]))
        yield Finding(
            "fact",
            split,
            f"{counted(table['video'].nunique(), 'video')}, {counted(keyframes, 'keyframe')}, "
            f"{counted(len(table), 'row')}",
        )
        if not len(table):
            yield Finding("error", split, "the table is empty; is it the right file?")


def _a_slip_apart(name: str, other: str) -> bool:
    """One letter too many, another one, two exchanged, or only capitals, spaces and signs are different."""
    plain, other_plain = ("".join(filter(str.isalnum, text.casefold())) for text in (name, other))
    start = len(commonprefix([plain, other_plain]))
    rest, other_rest = plain[start:], other_plain[start:]
    end = len(commonprefix([rest[::-1], other_rest[::-1]]))
    rest, other_rest = rest[: len(rest) - end], other_rest[: len(other_rest) - end]
    if (rest + other_rest).isdigit():  # kick 1, kick 2
        return False
    return max(len(rest), len(other_rest)) <= 1 or (len(rest) == 2 and rest == other_rest[::-1])
