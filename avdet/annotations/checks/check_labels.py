"""Checks annotation tables: the CSV format, the classes, the rows labelled with them, and the splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from os.path import commonprefix
from pathlib import Path

import pandas as pd

from ava_eval import BOX_COLUMNS
from ava_eval.csv_parser import unknown_columns
from ava_eval.csv_reader import open_plain_or_gzip, separator_of
from avdet.annotations.checks import Finding, Level, counted, listed
from avdet.datasets.class_names import ClassNames
from avdet.datasets.dataset import Split

__all__ = ["check_classes", "check_csv_format", "check_exclusive_groups", "check_rows", "check_splits", "look_alikes"]

FEW_ROWS = 20  # a class with fewer training rows is hardly learned
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_csv_format(path: Path) -> Iterator[Finding]:
    """Reports a byte order mark, tabs and a header line, and warns of unknown column names. Pickles are not checked."""
    if path.suffix == ".pkl":
        return
    with open_plain_or_gzip(path) as file:
        start = file.read(4096)
    first_line = start.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")[0].decode(errors="replace").strip()
    if start.startswith(BYTE_ORDER_MARK):
        yield Finding("fact", path.name, "begins with a byte order mark, which is skipped")
    separator = separator_of(first_line)
    if separator != ",":
        kind = "tabs" if separator == "\t" else "semicolons"
        yield Finding("fact", path.name, f"is separated by {kind}, which is supported")
    fields = first_line.split(separator)
    if len(fields) < 2 or _is_number(fields[1]):
        return
    unknown = unknown_columns(fields)
    if unknown:
        message = f"has a header line with {listed(unknown, 'unknown name')}; the columns are read in AVA's order"
        yield Finding("warning", path.name, message)
    else:
        yield Finding("fact", path.name, f"has a header line ({first_line[:60]}), which is supported")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_classes(label_map: Mapping[int, str], classes: ClassNames, scored: ClassNames) -> Iterator[Finding]:
    """Lists the trained classes, counts the scored ones, and finds names that are probably one, spelt in two ways."""
    number = f"{len(classes)} of {len(label_map)}" if len(classes) < len(label_map) else f"{len(classes)}"
    names = f"{', '.join(classes.names[:5])}{', ...' * (len(classes) > 5)}"
    also = f", {len(scored)} of them scored" if len(scored) < len(classes) else ""
    yield Finding("fact", "classes", f"{number} classes are trained{also}: {names}")
    pairs = look_alikes(classes.names)
    if pairs:
        yield Finding("warning", "classes", f"{listed(pairs, 'pair')} look alike; check their spelling")


def look_alikes(names: Sequence[str]) -> list[str]:
    """Pairs of names that are probably the same, spelt in two ways."""
    return [f"{a!r} and {b!r}" for a, b in combinations(names, 2) if _differ_by_a_typo(a, b)]


def check_rows(split: str, table: pd.DataFrame, label_map: Mapping[int, str], classes: ClassNames) -> Iterator[Finding]:
    """Finds ids without a name, rare and empty classes, duplicate rows and keyframes without persons."""
    labelled = table[table["action_id"] > 0]
    counts = labelled["action_id"].value_counts()
    unknown = sorted(set(counts.index) - label_map.keys())
    if unknown:
        rows = int(counts[unknown].sum())
        level: Level = "error" if rows == len(labelled) or unknown[-1] > max(label_map) else "warning"
        yield Finding(
            level,
            split,
            f"{listed([str(i) for i in unknown], 'action id')} ({counted(rows, 'row')}) not in the label map, which "
            f"has {min(label_map)} to {max(label_map)}; add them there, or correct the rows",
        )
    if len(table) and not counts.reindex(list(classes.ids)).any():
        yield Finding("error", split, "no row has an action of a trained class; check the file and data.classes")
        return
    empty = [name for i, name in classes.label_map.items() if not counts.get(i, 0)]
    if empty:
        yield Finding(
            "warning",
            split,
            f"no row for {listed(empty, 'class')}; they cannot be {'trained' if split == 'train' else 'evaluated'}",
        )
    rare = [f"{name} ({counts[i]})" for i, name in classes.label_map.items() if 0 < counts.get(i, 0) < FEW_ROWS]
    if rare and split == "train":
        yield Finding(
            "warning",
            split,
            f"fewer than {FEW_ROWS} rows for {listed(rare, 'class')}; add rows (data.repeat_threshold and "
            "data.class_weights help a little)",
        )
    duplicates = int(labelled.duplicated().sum())
    if duplicates:
        yield Finding("warning", split, f"{counted(duplicates, 'duplicate row')}; remove them")
    empty_keyframes = len(table) - len(labelled)
    if empty_keyframes:
        yield Finding("fact", split, f"{counted(empty_keyframes, 'keyframe')} without persons")


def check_exclusive_groups(
    split: str, table: pd.DataFrame, label_map: Mapping[int, str], groups: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    """Finds persons with several actions of an exclusive group."""
    names = table["action_id"].map(label_map)
    for members in groups:
        rows = table[names.isin(members)].drop_duplicates(["video", "timestamp", *BOX_COLUMNS, "action_id"])
        several = rows[rows.duplicated(["video", "timestamp", *BOX_COLUMNS])]
        if len(several):
            first = several.iloc[0]
            yield Finding(
                "warning",
                split,
                f"{counted(len(several), 'row')} too many: data.exclusive_groups allows a person at most one of "
                f"{', '.join(members)}; first: two in {first['video']} at {first['timestamp']:g} s",
            )


def check_splits(tables: Mapping[Split, pd.DataFrame]) -> Iterator[Finding]:
    """Counts videos, keyframes and rows, and finds videos that are in both splits."""
    common = sorted(set(tables["train"]["video"]) & set(tables["val"]["video"]))
    if common:
        yield Finding("error", "splits", f"{listed(common, 'video')} in both train and val; remove from one of them")
    for split, table in tables.items():
        keyframes = len(table.drop_duplicates(["video", "timestamp"]))
        yield Finding(
            "fact",
            split,
            f"{counted(table['video'].nunique(), 'video')}, {counted(keyframes, 'keyframe')}, "
            f"{counted(len(table), 'row')}",
        )
        if not len(table):
            yield Finding("error", split, "the table is empty; check the file")


def _differ_by_a_typo(name: str, other: str) -> bool:
    """One letter added, replaced or two swapped; upper case, spaces and punctuation do not count."""
    plain, other_plain = ("".join(filter(str.isalnum, text.casefold())) for text in (name, other))
    start = len(commonprefix([plain, other_plain]))
    rest, other_rest = plain[start:], other_plain[start:]
    end = len(commonprefix([rest[::-1], other_rest[::-1]]))
    rest, other_rest = rest[: len(rest) - end], other_rest[: len(other_rest) - end]
    if (rest + other_rest).isdigit():  # kick 1, kick 2
        return False
    return max(len(rest), len(other_rest)) <= 1 or (len(rest) == 2 and rest == other_rest[::-1])
