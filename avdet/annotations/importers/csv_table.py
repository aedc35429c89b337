"""Reads a plain CSV: one row per person and action, actions by name or id, boxes in fractions, pixels or percents."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from ava_eval import BOX_COLUMNS, KEYFRAME_COLUMNS
from avdet.annotations.importers.attributes import Choice, action_values, is_identity_name
from avdet.annotations.importers.box_units import boxes_in_fractions
from avdet.annotations.importers.csv_cells import (
    column_name,
    has_number,
    kind_of_time,
    number,
    read_cells,
    seconds,
    understood_words,
)
from avdet.annotations.importers.rows import ROW_COLUMNS, Context, clean_rows, keyframe_rows
from avdet.annotations.importers.video_index import IMAGE_SUFFIXES, first_frame

__all__ = ["read_csv_table"]

DETECTION_COLUMNS = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "score", "person_id"]
AVA_COLUMNS = [*KEYFRAME_COLUMNS, *BOX_COLUMNS, "action_id", "person_id"]
DETECTIONS = [*AVA_COLUMNS[:-1], "score", "person_id", "action"]  # the header of detect_actions
MIN_SCORE = 0.3  # of the detections that are labels: the limit of detect_actions
KNOWN = {*AVA_COLUMNS, "frame", "offset", "x", "y", "cx", "cy", "width", "height", "id"}
SLACK_S = 0.5
ACTION_ID = re.compile(r"\d+(\.0+)?")
CHECKED, UNCHECKED = {"1", "true", "yes", "x"}, {"", "0", "false", "no"}


def read_csv_table(data: bytes, path: Path, context: Context) -> pd.DataFrame:
    """Columns have names that `csv_cells` knows, or AVA's order if the first line holds a number.

    A column `frame`, counted from 0, or images named VIDEO_FRAME.jpg may replace the timestamp. A column `offset` has
    the timestamp of the video's first second. `label_map` names action ids. Rows with a video and a timestamp alone
    are keyframes at which no person acts. Raises ValueError that names what is missing.
    """
    cells = read_cells(data, path)
    if list(cells.iloc[0]) == DETECTIONS:
        cells, context = _labels_of_detections(cells, path, context)
    table, header = _with_column_names(cells, path, context)
    if table.empty:
        return pd.DataFrame(columns=ROW_COLUMNS)
    table = _located(table, path, context)
    box_cells = [name for name in (*BOX_COLUMNS, "x", "y", "cx", "cy", "width", "height") if name in table]
    is_empty = (table[box_cells] == "").all(axis=1)
    without_person = is_empty & (table["action_id"] == "")
    if (is_empty & ~without_person).any():
        line = _first_line(is_empty & ~without_person)
        raise ValueError(f"{path}, line {line} has an action but no box; add the box or remove the action")
    keyframes = keyframe_rows(table.loc[without_person, KEYFRAME_COLUMNS])
    is_idle = ~is_empty & (table["action_id"] == "")
    context.omitted["rows without an action"] += int(is_idle.sum())
    table = table[~is_empty & ~is_idle]
    boxes = boxes_in_fractions(table, header, path, context)
    persons = table["person_id"] if "person_id" in table else _ids_or_nothing(table, context)
    rows = boxes.assign(
        video=table["video"],
        timestamp=table["timestamp"],
        action=_action_names(table["action_id"], path, context),
        person_id=persons,
    )
    rows = rows[ROW_COLUMNS].explode("action").dropna(subset=["action"]).reset_index(drop=True)
    cleaned = clean_rows(rows, path, context.omitted)
    return pd.concat([cleaned, keyframes], ignore_index=True) if len(keyframes) else cleaned


def _with_column_names(table: pd.DataFrame, path: Path, context: Context) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows with known column names, and the header's own word for each column."""
    if has_number(table.iloc[0]):
        columns = DETECTION_COLUMNS if _has_scores(table) else AVA_COLUMNS
        names = words = [*columns, *map(str, range(table.shape[1]))][: table.shape[1]]
        table = table.set_axis(names, axis=1)
    else:
        words = list(table.iloc[0])
        context.attributes.update(words)
        names = _names(words, context.choice)
        doubled = sorted({name for name in names if names.count(name) > 1} & KNOWN)
        if doubled:
            same = ", ".join(word for word, name in zip(words, names, strict=True) if name == doubled[0])
            raise ValueError(
                f"{path} has two columns for {doubled[0]} ({same}); remove one of them"
                + {"action_id": ", or choose with --actions", "person_id": ", or choose with --identity"}.get(
                    doubled[0], ""
                )
            )
        table = table.iloc[1:].set_axis(names, axis=1)
        table = table.loc[:, ~table.columns.duplicated()]
        chosen = [word for word in words if context.choice.names_action(word)]
        table = table.assign(action_id=_joined(table[chosen])) if chosen else table
        unread = [word for word in words if word in table and word not in {*KNOWN, *chosen, ""}]
        if unread:
            context.note(f"{path.name}: columns that are not read: {', '.join(unread)}")
        if "video" not in table and (video := context.videos.video_of_file(path)):
            table = table.assign(video=video)
            context.note(f"{path.name}: has no column for the video; it is taken for {video}")
    _require_columns(table, words, path)
    _refuse_predictions(table, path)
    return table, dict(zip(names, words, strict=True))


def _labels_of_detections(cells: pd.DataFrame, path: Path, context: Context) -> tuple[pd.DataFrame, Context]:
    """The cells that score `MIN_SCORE`, without scores, and the context with the file's names of the action ids."""
    rows = cells.iloc[1:].set_axis(DETECTIONS, axis=1)
    names = rows.loc[rows["action_id"].str.isdecimal(), ["action_id", "action"]].drop_duplicates()
    label_map = {int(number): name for number, name in names.itertuples(index=False)}
    is_low = pd.to_numeric(rows["score"], errors="coerce") < MIN_SCORE
    context.omitted[f"detections with a score below {MIN_SCORE}"] += int(is_low.sum())
    context.note(f"{path.name}: detections of detect_actions are read as labels")
    kept = pd.concat([cells.iloc[:1], cells.iloc[1:][~is_low]])
    columns = [name not in {"score", "action"} for name in DETECTIONS]
    return kept.loc[:, columns], replace(context, label_map={**label_map, **context.label_map})


def _has_scores(table: pd.DataFrame) -> bool:
    """Whether the eighth column of a table without header holds fractions, as detections have, and no person ids."""
    scores = table[7].map(number) if table.shape[1] > 7 else pd.Series(dtype=float)
    return bool(scores.between(0, 1).all() and (scores % 1 != 0).any())


def _names(words: Sequence[str], choice: Choice) -> list[str]:
    """The column that each word means. Those named by --actions keep their words, those that they replace, too."""
    names = [column_name(word) for word in words]
    chosen = [choice.names_action(word) for word in words]
    persons = [word != "" and word.casefold() == choice.identity.casefold() for word in words]
    for index, (word, name) in enumerate(zip(words, names, strict=True)):
        if chosen[index] or (name == "action_id" and any(chosen)) or (name == "person_id" and any(persons)):
            names[index] = word
        if persons[index]:
            names[index] = "person_id"
        names[index] = names[index] if names[index] in KNOWN else word
    if not {"person_id", "id"} & set(names):
        like = [index for index, word in enumerate(words) if names[index] == word and is_identity_name(word)]
        names = ["person_id" if [index] == like[:1] and not chosen[index] else name for index, name in enumerate(names)]
    return names


def _joined(table: pd.DataFrame) -> pd.Series:
    """The values of several columns in one cell; a column of 0 and 1 stands for its own name."""
    texts = []
    for name in table:
        values = table[name].str.lower()
        is_flag = values.isin(CHECKED | UNCHECKED).all()
        texts.append(values.isin(CHECKED).map({True: name, False: ""}) if is_flag else table[name])
    joined = ["|".join(filter(None, cells)) for cells in zip(*texts, strict=True)]
    return pd.Series(joined, table.index, dtype=object)


def _require_columns(table: pd.DataFrame, words: Sequence[str], path: Path) -> None:
    columns = set(table.columns)
    has_size = {"width", "height"} <= columns
    choices = [("x1", "x", "cx"), ("y1", "y", "cy")] if has_size else [("x1", "x"), ("y1", "y"), ("x2",), ("y2",)]
    missing = [names[0] for names in [("video",), *choices, ("action_id",)] if not columns & set(names)]
    if not {"timestamp", "frame"} & columns and not ("video" in table and _are_images(table["video"])):
        missing.append("timestamp or frame")
    if missing:
        unknown = [word for word in words if word and word in columns and word not in KNOWN]
        raise ValueError(
            f"{path} has no column {', '.join(missing)} (it has {', '.join(words)}); "
            + (f"unknown words: {', '.join(unknown)}; " if unknown else "")
            + f"name it in a header line, or with --actions or --identity. Understood are {understood_words()}"
        )


def _are_images(names: pd.Series) -> bool:
    return len(names) > 0 and all(PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES for name in names)


def _located(table: pd.DataFrame, path: Path, context: Context) -> pd.DataFrame:
    """The table with video names as in --videos, and timestamps in seconds."""
    videos = context.videos
    if "timestamp" in table:
        times_s = table["timestamp"].map({cell: seconds(cell) for cell in table["timestamp"].unique()}).astype(float)
        is_wrong = ~times_s.map(math.isfinite)
        if is_wrong.any():
            cell = table.loc[is_wrong, "timestamp"].iloc[0]
            raise ValueError(
                f"{path}, line {_first_line(is_wrong)}: the time {cell!r} is {kind_of_time(cell)}, not a finite number "
                "of seconds or a clock time; write seconds, such as 62.5, or 00:01:02.5"
            )
        if "offset" in table:
            times_s = times_s - _offsets(table["offset"], path)
            context.note(f"{path.name}: timestamps less the column of their videos' offsets")
        rows = zip(table.index, table["video"], times_s, strict=True)
        found = [videos.find_at(video, time_s, f"{path}, line {row + 1}") for row, video, time_s in rows]
        table = table.assign(video=[video for video, _ in found], timestamp=[time_s for _, time_s in found])
        _report_past_the_end(table, path, context)
        return table
    if "frame" in table:
        names = {name: videos.find(name, path) for name in table["video"].unique()}
        table = table.assign(video=table["video"].map(names))
        numbers = table["frame"].map(number)
        first = int(
            any(number == videos.num_frames(video) for video, number in zip(table["video"], numbers, strict=True))
        )
        context.note(f"{path.name}: frames count from {first}")
        table = table.assign(frame=numbers - first) if first else table
    else:
        places = {name: videos.find_image(name, path) for name in table["video"].unique()}
        first = first_frame(places.values(), videos)
        context.note(f"{path.name}: frame numbers in image names count from {first}")
        frames = [places[name][1] - first for name in table["video"]]
        names = {name: video for name, (video, _) in places.items()}
        table = table.assign(video=table["video"].map(names), frame=frames)
    places_of_rows = zip(table.index, table["video"], table["frame"], strict=True)
    times = [videos.frame_time(video, frame, f"{path}, line {row + 1}") for row, video, frame in places_of_rows]
    return table.assign(timestamp=pd.Series(times, table.index, dtype=float))


def _report_past_the_end(table: pd.DataFrame, path: Path, context: Context) -> None:
    ends_s = table["video"].map({video: context.videos.duration_s(video) for video in table["video"].unique()})
    is_past = table["timestamp"] > ends_s + SLACK_S
    if is_past.any():
        row = table[is_past].iloc[0]
        context.note(
            f"{path.name}: {int(is_past.sum()):,} rows are past the end of their video, the first at "
            f"{row['timestamp']:g} s of {row['video']} ({ends_s[is_past].iloc[0]:.1f} s); if timestamps start "
            "elsewhere, set data.timestamp_offset, or add a column offset"
        )


def _offsets(cells: pd.Series, path: Path) -> pd.Series:
    """Seconds of a column of offsets; an empty cell is 0."""
    offsets_s = cells.map({cell: seconds(cell) if cell else 0.0 for cell in cells.unique()}).astype(float)
    is_wrong = ~offsets_s.map(math.isfinite)
    if is_wrong.any():
        raise ValueError(
            f"{path}, line {_first_line(is_wrong)}: the offset {cells[is_wrong].iloc[0]!r} is no number of seconds; "
            "write the timestamp of the video's first second, or rename the column"
        )
    return offsets_s


def _refuse_predictions(table: pd.DataFrame, path: Path) -> None:
    """Raises ValueError for detections, which have each action of a box with a score of its own."""
    boxes = [name for name in (*KEYFRAME_COLUMNS, *BOX_COLUMNS) if name in table]
    if "score" in table and len(table) and (table.groupby(boxes)["score"].nunique() > 1).any():
        raise ValueError(
            f"{path} has detections: one box with several scores, one for each action; select them with tools/"
            "export_annotations.py --detections, correct them in a label tool, and import what it saves"
        )


def _ids_or_nothing(table: pd.DataFrame, context: Context) -> pd.Series:
    """The column `id`, unless it numbers the rows: then each action of a person would be a person of its own."""
    if "id" in table and not table["id"].is_unique:
        return table["id"]
    context.omitted["row numbers (column id)"] += len(table) if "id" in table else 0
    return pd.Series("", table.index)


def _action_names(cells: pd.Series, path: Path, context: Context) -> pd.Series:
    """Lists of actions: a cell may hold several, separated by commas, semicolons or bars."""
    label_map, choice, omitted = context.label_map, context.choice, context.omitted
    counts = cells.value_counts()
    parts_of = {cell: [part.strip() for part in re.split(r"[,;|]", cell)] for cell in counts.index}
    if all(ACTION_ID.fullmatch(part) for parts in parts_of.values() for part in parts):
        ids = {cell: [int(float(part)) for part in parts] for cell, parts in parts_of.items()}
        unknown = sorted({one for parts in ids.values() for one in parts} - label_map.keys())
        if unknown:
            raise ValueError(
                f"{path} has the action id {unknown[0]}, which has no name; give the names with --label-map"
            )
        return cells.map({cell: [label_map[one] for one in parts] for cell, parts in ids.items()})
    known = set(label_map.values())
    names: dict[str, list[str]] = {}
    for cell, count in counts.items():
        before = omitted.copy()
        names[str(cell)] = list(dict.fromkeys(action_values("the action", [str(cell)], known, choice, omitted)))
        for reason in omitted.keys() - before.keys() | {key for key in before if omitted[key] != before[key]}:
            omitted[reason] = before[reason] + int(count) * (omitted[reason] - before[reason])
    return cells.map(names)


def _first_line(selected: pd.Series) -> int:
    return int(selected.index[selected][0]) + 1
