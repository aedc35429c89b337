"""Charades v1: several actions a video, each with its times."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from avdet.datasets.keyframes import ClassNames
from avdet.datasets.segments import Intervals, Segments
from avdet.datasets.tables import line_of, numbers, read_lines, read_table

__all__ = ["charades_classes", "read_charades"]


def charades_classes(path: Path) -> ClassNames:
    """Charades_v1_classes.txt: `c000 Holding some clothes` a line."""
    rows = [line.partition(" ") for line in read_lines(path)]
    wrong = [code for code, _, _ in rows if not (code[:1] == "c" and code[1:].isdigit())]
    if wrong:
        raise ValueError(f"{path} begins a line with {wrong[0]!r}; Charades' list of classes says `c000 Name`")
    codes = [int(code[1:]) for code, _, _ in rows]
    if not codes or len(set(codes)) < len(codes):
        fault = f"has c{max(codes, key=codes.count):03d} twice" if codes else "names no class"
        raise ValueError(f"{path} {fault}; give Charades' own list of classes")
    names = [name for _, _, name in rows]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{path} names two classes {max(names, key=names.count)!r}; give Charades' own list of classes"
        )
    return ClassNames.from_label_map({code: name for code, (_, _, name) in zip(codes, rows, strict=True)})


def read_charades(path: Path, classes: ClassNames) -> tuple[Segments, list[str]]:
    """Whole videos with multi-hot labels "action", and the times of each action (`c077 12.10 18.00;...`).

    Videos without an action stay: the benchmark scores them. The second list counts actions that are left out.
    Raises ValueError for an action that begins after its video's end, where the file has a column `length`.
    """
    table = read_table(path, ("id", "actions"))
    lengths_s = numbers(table, "length", path) if "length" in table else np.full(len(table), np.nan)
    index = {class_id: i for i, class_id in enumerate(classes.ids)}
    labels = np.zeros((len(table), len(classes)), np.int64)
    rows: list[tuple[int, int, float, float]] = []
    backward: list[str] = []
    total = 0
    for number, (video, actions) in enumerate(zip(table["id"], table["actions"], strict=True)):
        for action in filter(None, map(str.strip, actions.split(";"))):
            total += 1
            class_id, start_s, end_s = _action(action, path, line_of(table, number))
            if class_id not in index:
                raise ValueError(
                    f"{path}, line {line_of(table, number)}: c{class_id:03d} is not one of the {len(classes)} classes; "
                    "give the list that belongs to it with data.label_map"
                )
            labels[number, index[class_id]] = 1
            if end_s < start_s:  # five in the official training file, which then begin after the end of their video too
                backward.append(str(video))
                continue
            if start_s > lengths_s[number]:  # not where nobody knows
                raise ValueError(
                    f"{path}, line {line_of(table, number)}: {action!r} begins after the end of its video, which lasts "
                    f"{lengths_s[number]:g} s; write times as seconds"
                )
            rows.append((number, index[class_id], start_s, end_s))
    columns = np.array(rows, dtype=np.float64).reshape(-1, 4)
    first = np.searchsorted(columns[:, 0], np.arange(len(table) + 1))
    intervals = Intervals(first.astype(np.int64), columns[:, 1].astype(np.int64), columns[:, 2], columns[:, 3])
    ids = table["id"].to_numpy(object)
    segments = Segments(ids, ids, np.zeros(len(ids)), np.full(len(ids), np.inf), {"action": labels}, intervals)
    if not backward:
        return segments, []
    return segments, [
        f"{len(backward):,} of {total:,} actions end before they start (first: in {backward[0]}); no clip is labelled "
        "by their times"
    ]


def _action(text: str, path: Path, line: int) -> tuple[int, float, float]:
    try:
        code, start, end = text.split()
        class_id, start_s, end_s = int(code.removeprefix("c")), float(start), float(end)
        if not (math.isfinite(start_s) and math.isfinite(end_s)):
            raise ValueError(text)
        return class_id, start_s, end_s
    except ValueError:
        raise ValueError(f"{path}, line {line}: {text!r} is no action; Charades writes `c077 12.10 18.00`") from None
