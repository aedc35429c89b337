"""What all importers share: boxes with labels and attributes, and the rows that they become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from ava_eval.csv_format import MISSING_ID
from avdet.annotations.importers.attributes import (
    LABEL,
    NUMBER,
    Choice,
    Role,
    action_values,
    attribute_roles,
    described_roles,
)
from avdet.annotations.importers.interval_table import Interval, actions_during
from avdet.annotations.importers.video_index import VideoIndex

__all__ = [
    "ROW_COLUMNS",
    "WITHOUT_BOX",
    "Context",
    "LabelledBox",
    "clean_rows",
    "keyframe_rows",
    "require_known_names",
    "rows_from_boxes",
]

ROW_COLUMNS = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action", "person_id"]
MAX_TIME_S = 1e6  # eleven days
CLIP_TOLERANCE = 0.01  # boxes may exceed the frame by this fraction without being counted
WITHOUT_BOX = "images without a box"
NO_PERSON = MISSING_ID["person_id"]
MISSING_VALUES = {"", "NA", "N/A", "<NA>", "NaN", "nan", "None", "NULL", "null"}  # as tables are exported


@dataclass(frozen=True)
class Context:
    """What an import was given, and what it reports.

    omitted: entries that gave no row, by reason. notes: facts and assumptions, in order. attributes: all names that
    --actions and --identity can mean. split_number: which of a data set's own splits is read. splits: "train" or "val"
    of its videos. intervals: a table of actions, which then replaces those of boxes with tracks. empty: video and time
    of images without a box; without `keep_empty` they are counted as omitted.
    """

    videos: VideoIndex
    label_map: Mapping[int, str] = field(default_factory=dict)
    choice: Choice = field(default_factory=Choice)
    box_unit: str | None = None
    split_number: int = 1
    omitted: Counter[str] = field(default_factory=Counter)
    notes: dict[str, None] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    splits: dict[str, str] = field(default_factory=dict)
    intervals: list[Interval] = field(default_factory=list)
    keep_empty: bool = True
    empty: list[tuple[str, float]] = field(default_factory=list)

    def add_empty(self, video: str, frame: int, where: str | Path) -> None:
        """Adds an image without a box: a keyframe at which no person acts. Raises ValueError as `frame_time`."""
        if self.keep_empty:
            self.empty.append((video, self.videos.frame_time(video, frame, where)))
        else:
            self.omitted[WITHOUT_BOX] += 1

    def note(self, sentence: str) -> None:
        self.notes[sentence] = None


def require_known_names(context: Context) -> None:
    """Raises ValueError for names of --actions and --identity that no file has."""
    known = {name.casefold() for name in context.attributes}
    given = {"--actions": context.choice.actions, "--identity": (context.choice.identity,)}
    for option, names in given.items():
        for name in names:
            if name and name.casefold() not in known:
                found = ", ".join(sorted(context.attributes)) or "none"
                raise ValueError(f"{option} names {name!r}, which no file has; its attributes are {found}")


@dataclass(frozen=True)
class LabelledBox:
    """One box of an annotation file: x1, y1, x2, y2 are fractions of the frame.

    `label` is the class that the tool gives to it, `track` the tool's own id. `attributes` are values by name, several
    for a list of options; those of a checkbox are "true" and "false". `frame` is the number in the file, if it has one.
    """

    video: str
    time_s: float
    box: tuple[float, float, float, float]
    label: str = ""
    track: str = ""
    attributes: Mapping[str, Collection[str]] = field(default_factory=dict)
    frame: int | None = None


def rows_from_boxes(
    boxes: Iterable[LabelledBox], options: Mapping[str, Collection[str]], source: Path, context: Context
) -> pd.DataFrame:
    """Returns one row per box and action. `options` are the values that the file allows for an attribute.

    The label is the action of boxes of a label that no action attribute describes.
    """
    boxes = list(boxes)
    values: dict[str, Counter[str]] = {}
    for box in boxes:
        for name, texts in box.attributes.items():
            values.setdefault(name, Counter()).update(texts)
    roles = attribute_roles(values, options, context.choice)
    context.attributes.update(roles, {LABEL})
    is_described = {box.label for box in boxes if any(roles[name] == "actions" for name in box.attributes)}
    records = []
    for box in boxes:
        person = next(
            (" ".join(box.attributes[name]).strip() for name in box.attributes if roles[name] == "identity"), ""
        )
        if context.intervals:
            actions = actions_during(context.intervals, box.video, person or box.track, box.time_s, box.frame)
        else:
            actions = _actions(box, roles, options, context, read_label=_reads_label(box.label, is_described, context))
        context.omitted["boxes without an action"] += not actions
        start = [box.video, box.time_s, *box.box]
        records += [[*start, action, person or box.track] for action in dict.fromkeys(actions)]
    if boxes and context.intervals:
        context.note(f"{source.name}: actions from the table of actions")
    elif boxes:
        context.note(f"{source.name}: {_described(boxes, roles, values, is_described, context)}")
    return clean_rows(pd.DataFrame(records, columns=ROW_COLUMNS), source, context.omitted)


def _reads_label(label: str, is_described: Collection[str], context: Context) -> bool:
    return context.choice.names_action(LABEL) or (not context.choice.actions and label not in is_described)


def _actions(
    box: LabelledBox,
    roles: Mapping[str, Role],
    options: Mapping[str, Collection[str]],
    context: Context,
    *,
    read_label: bool,
) -> list[str]:
    actions: list[str] = []
    for name, texts in box.attributes.items():
        if roles[name] == "actions":
            actions += action_values(name, texts, options.get(name, ()), context.choice, context.omitted)
    if read_label:
        actions += action_values(LABEL, [box.label], {box.label}, context.choice, context.omitted)
    return actions


def _described(
    boxes: Iterable[LabelledBox],
    roles: Mapping[str, Role],
    values: Mapping[str, Counter[str]],
    is_described: Collection[str],
    context: Context,
) -> str:
    labels = Counter(box.label for box in boxes if box.label)
    unread = [
        f"{label} ({count:,})" for label, count in labels.items() if not _reads_label(label, is_described, context)
    ]
    counts = {name: sum(counter.values()) - counter[""] for name, counter in values.items()}
    return described_roles(roles, counts, has_label=len(unread) < len(labels), unread_labels=unread)


def keyframe_rows(keyframes: pd.DataFrame) -> pd.DataFrame:
    """Rows that list keyframes at which no person acts, from a table of videos and timestamps."""
    times_s = keyframes["timestamp"].astype(float).round(6)
    return keyframes.assign(timestamp=times_s, action="", person_id="").reindex(columns=ROW_COLUMNS)


def clean_rows(table: pd.DataFrame, source: Path, omitted: Counter[str]) -> pd.DataFrame:
    """Clips boxes to the frame, omits boxes without area there and converts person ids to names.

    Raises ValueError for swapped corners, invalid action names, person ids and times.
    """
    table[BOX_COLUMNS] = table[BOX_COLUMNS].astype(float)
    table["action"] = table["action"].astype(str).str.strip()
    times_s = table["timestamp"].astype(float)
    _require_valid(table, times_s, source)
    exceeds_frame = ((table[BOX_COLUMNS] < -CLIP_TOLERANCE) | (table[BOX_COLUMNS] > 1.0 + CLIP_TOLERANCE)).any(axis=1)
    omitted["box parts outside the frame"] += int(exceeds_frame.sum())
    table[BOX_COLUMNS] = table[BOX_COLUMNS].clip(0.0, 1.0)
    has_area = (table["x1"] < table["x2"]) & (table["y1"] < table["y2"])
    omitted["rows without a box in the frame"] += int((~has_area).sum())
    return table.assign(timestamp=times_s.round(6), person_id=_person_names(table["person_id"], source))[has_area]


def _require_valid(table: pd.DataFrame, times_s: pd.Series, source: Path) -> None:
    def where(rows: pd.DataFrame) -> str:
        return f"video {rows['video'].iloc[0]} at {rows['timestamp'].iloc[0]} s"

    swapped = table[(table["x1"] > table["x2"]) | (table["y1"] > table["y2"])]
    if len(swapped):
        raise ValueError(
            f"{source}: {where(swapped)} has a box whose first corner is not the upper left one ({len(swapped):,} such "
            "rows); write boxes as x1, y1, x2, y2"
        )
    unnamed = table[table["action"].str.contains(r"[\n\r]|^[\d.]*$", regex=True)]
    if len(unnamed):
        raise ValueError(
            f"{source}: {unnamed['action'].iloc[0]!r} is not the name of an action ({where(unnamed)}); a name is one "
            "line of text, not a number"
        )
    impossible = table[~times_s.between(0.0, MAX_TIME_S)]
    if len(impossible):
        raise ValueError(
            f"{source}: {where(impossible)} has a label; times are seconds from the video's start, at least 0: "
            "correct this row"
        )


def _person_names(person_ids: pd.Series, source: Path) -> pd.Series:
    """Person ids as text: "3" for 3.0 too, "" if unknown. Raises ValueError for numbers that are no id, such as 2.7."""
    names = person_ids.astype(str).str.strip().mask(person_ids.isna(), "")
    return names.map({name: _person_name(name, source) for name in names.unique()}).astype(str)


def _person_name(name: str, source: Path) -> str:
    """Drops the fraction .0, which exported columns with empty cells have."""
    if name in MISSING_VALUES:
        return ""
    if not NUMBER.fullmatch(name):
        return name
    number = float(name)
    if not number.is_integer() or number < NO_PERSON:
        raise ValueError(
            f"{source}: the person id {name} is not valid; write a whole number from 0 on, a name, or -1 if unknown"
        )
    return "" if number == NO_PERSON else str(int(number))
