"""Turns tables of detections or ground truth into labelled persons per keyframe: what the video and the page draw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ava_eval import BOX_COLUMNS
from avdet.people.tracks import keyframe_interval
from avdet.visualization.audio_gain import SCORE_WITHOUT_AUDIO
from avdet.visualization.labelled_person import Action, Box, Keyframes, LabelledPerson
from avdet.visualization.person_tracks import PersonTracks

__all__ = [
    "Overlay",
    "PersonTimeline",
    "annotated_persons",
    "count_outside",
    "detected_persons",
    "explain_all_outside",
    "explain_no_detection",
    "explain_nothing_drawn",
    "rows_of_video",
    "short_names",
]


class PersonTimeline:
    """Labelled persons per keyframe, and at any time in between (`PersonTracks`).

    `times_s` may list keyframes without persons.
    """

    def __init__(self, persons: Keyframes, times_s: Iterable[float] = ()) -> None:
        self.persons = {time_s: tuple(persons[time_s]) for time_s in sorted(persons)}
        self.times_s: NDArray[np.float64] = np.unique(np.array([*times_s, *persons], np.float64))
        self.interval_s = keyframe_interval(self.times_s)
        self.action_names = {
            action.action_id: action.name for keyframe in persons.values() for p in keyframe for action in p.actions
        }

    @cached_property
    def tracks(self) -> PersonTracks:
        return PersonTracks(self.persons, self.interval_s)

    def keyframe_at(self, time_s: float) -> float | None:
        """The time of the keyframe shown at `time_s`, or None."""
        if not len(self.times_s):
            return None
        nearest = float(self.times_s[np.abs(self.times_s - time_s).argmin()])
        return nearest if abs(nearest - time_s) <= self.interval_s / 2 else None


@dataclass(frozen=True)
class Overlay:
    """What is drawn on a video: detected persons, and annotated ones if `ground_truth` is given.

    A detected person is drawn with at most `top_k` actions that score at least `min_score`; with none, as a box alone.
    timestamp_offset_s: added to the displayed time, for a video that was cut out of a longer one.
    """

    detections: PersonTimeline
    ground_truth: PersonTimeline | None = None
    min_score: float = 0.3
    top_k: int = 3
    timestamp_offset_s: float = 0.0

    def persons_at(self, time_s: float) -> list[LabelledPerson]:
        """The persons to draw at `time_s`, ground truth first and from left to right."""
        annotated = [] if self.ground_truth is None else _from_left_to_right(self.ground_truth.tracks.at(time_s))
        detected = _from_left_to_right(self.detections.tracks.at(time_s))
        return annotated + [self._with_drawn_actions(person) for person in detected]

    def _with_drawn_actions(self, person: LabelledPerson) -> LabelledPerson:
        drawn = [action for action in person.actions if action.best_score >= self.min_score]
        return replace(person, actions=tuple(drawn[: self.top_k]))


def _from_left_to_right(persons: Sequence[LabelledPerson]) -> list[LabelledPerson]:
    return sorted(persons, key=lambda person: (person.box, person.person_id))


def detected_persons(
    detections: pd.DataFrame, label_map: Mapping[int, str] | None = None, min_score: float = 0.0
) -> PersonTimeline:
    """Reads the detections of one video (`rows_of_video`): actions from `min_score` on, and each person's best.

    Actions are named by `label_map` without the examples in brackets, or "action 7" if it lacks the id. If the table
    has scores without audio (`add_scores_without_audio`), actions are sorted by the better score of the two.
    """
    rows = detections if min_score <= 0 else _rows_from(detections, min_score)
    return _timeline(rows, detections["timestamp"].unique(), label_map or {}, is_ground_truth=False)


def annotated_persons(ground_truth: pd.DataFrame, label_map: Mapping[int, str] | None = None) -> PersonTimeline:
    """Reads the ground truth of one video (`rows_of_video`); rows with action_id 0 list keyframes without persons."""
    labelled = ground_truth[ground_truth["action_id"] > 0].assign(score=1.0)
    return _timeline(labelled, ground_truth["timestamp"], label_map or {}, is_ground_truth=True)


def _rows_from(table: pd.DataFrame, min_score: float) -> pd.DataFrame:
    """The rows from `min_score` on, and the best of each run of rows with the same time, box and person."""
    if table.empty:
        return table
    score = table[[name for name in ("score", SCORE_WITHOUT_AUDIO) if name in table]].max(axis=1).to_numpy()
    person = table[[name for name in ("timestamp", *BOX_COLUMNS, "person_id") if name in table]].to_numpy(np.float64)
    first = np.flatnonzero(np.concatenate([[True], (person[1:] != person[:-1]).any(axis=1)]))
    best = np.repeat(np.maximum.reduceat(score, first), np.diff(first, append=len(score)))
    return table[(score >= min_score) | (score == best)]


def _timeline(
    table: pd.DataFrame, times_s: Iterable[float], label_map: Mapping[int, str], *, is_ground_truth: bool
) -> PersonTimeline:
    """Rows with the same time, box and person_id are one person."""
    names = short_names(label_map)
    if "person_id" not in table:
        table = table.assign(person_id=-1)
    if SCORE_WITHOUT_AUDIO in table:
        table = table.fillna({SCORE_WITHOUT_AUDIO: 0.0})
    scores = [name for name in ("score", SCORE_WITHOUT_AUDIO) if name in table]
    columns = (table[name].tolist() for name in ("timestamp", *BOX_COLUMNS, "person_id", "action_id", *scores))
    actions: dict[float, dict[tuple[Box, int], list[Action]]] = {}
    for time_s, x1, y1, x2, y2, person_id, action_id, *action_scores in zip(*columns, strict=True):
        action = Action(action_id, names.get(action_id, f"action {action_id}"), *action_scores)
        actions.setdefault(time_s, {}).setdefault(((x1, y1, x2, y2), person_id), []).append(action)
    persons = {
        time_s: [
            LabelledPerson(box, person_id, _best_first(person_actions), is_ground_truth)
            for (box, person_id), person_actions in keyframe.items()
        ]
        for time_s, keyframe in actions.items()
    }
    return PersonTimeline(persons, times_s)


def _best_first(actions: Sequence[Action]) -> tuple[Action, ...]:
    return tuple(sorted(actions, key=lambda action: action.best_score, reverse=True))


def short_names(label_map: Mapping[int, str]) -> dict[int, str]:
    """Drops what a name has in brackets, "talk to (e.g., self)", unless two names would become equal."""
    short = {action_id: re.sub(r"\s*\(.*\)\s*$", "", name) or name for action_id, name in label_map.items()}
    counts = Counter(short.values())
    return {action_id: name if counts[name] == 1 else label_map[action_id] for action_id, name in short.items()}


def rows_of_video(table: pd.DataFrame, video: str, timestamp_offset_s: float, table_name: str) -> pd.DataFrame:
    """Returns the rows of `video`, their timestamps in seconds from its start. Raises ValueError if it has none."""
    rows = table[table["video"] == video]
    if rows.empty and not table.empty:
        videos = sorted(map(str, table["video"].unique()))
        listed = ", ".join(videos[:3]) + (f" and {len(videos) - 3} more" if len(videos) > 3 else "")
        raise ValueError(
            f"the {table_name} have no row for {video!r}, only for {listed}; the column video must hold the file's "
            "name without suffix, or pass the name that the tables use"
        )
    return rows.assign(timestamp=rows["timestamp"] - timestamp_offset_s)


def explain_nothing_drawn(overlay: Overlay, start_s: float, end_s: float) -> str:
    """Returns one sentence on why no action is drawn in a video that ends at `end_s`, or in its part."""
    if sentence := explain_no_detection(overlay.detections, end_s):
        return sentence
    margin_s = overlay.detections.interval_s / 2
    shown = [
        person
        for time_s, persons in overlay.detections.persons.items()
        if start_s - margin_s <= time_s <= end_s + margin_s
        for person in persons
    ]
    if not shown:
        return f"nothing is drawn: there is no person from {start_s:g} to {end_s:g} s"
    highest = max(action.score for person in shown for action in person.actions)
    return f"no action is drawn: no score reaches {overlay.min_score:g}; the highest is {highest:.2f}"


def explain_no_detection(detections: PersonTimeline, duration_s: float) -> str | None:
    """Returns one sentence if no detection lies inside a video of this length; None otherwise."""
    if not detections.persons:
        return "nothing is drawn: there are no detections for this video"
    outside = explain_all_outside(list(detections.persons), duration_s)
    return None if outside is None else f"nothing is drawn: {outside}"


def explain_all_outside(times_s: ArrayLike, duration_s: float) -> str | None:
    """Returns one sentence if there are detections, but all outside a video of this length; None otherwise."""
    times_s = np.asarray(times_s, np.float64)
    if not len(times_s) or _is_inside(times_s, duration_s).any():
        return None
    return (
        f"its detections are at {times_s.min():g} to {times_s.max():g} s of the video, which lasts {duration_s:.1f} s; "
        "times are in seconds; if the video was cut out of a longer one, give the second at which it begins"
    )


def count_outside(times_s: ArrayLike, duration_s: float) -> int:
    """Counts the rows at `times_s` that are never shown in a video of this length."""
    return int((~_is_inside(times_s, duration_s)).sum())


def _is_inside(times_s: ArrayLike, duration_s: float) -> NDArray[np.bool_]:
    times_s = np.asarray(times_s, np.float64)
    margin_s = keyframe_interval(np.unique(times_s)) / 2
    return (times_s >= -margin_s) & (times_s <= duration_s + margin_s)
