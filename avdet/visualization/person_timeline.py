"""Which boxes and names are on screen at which time: arithmetic on tables, no picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ava_eval import BOX_COLUMNS
from avdet.visualization.audio_gain import WITHOUT_SOUND

# A table with one keyframe says nothing about their distance; AVA's is a second.
_DEFAULT_SPACING_S = 1.0


@dataclass(frozen=True)
class ShownPerson:
    """A box, normalised xyxy, with its lines of text. person_id: -1 unknown. is_truth: annotated, not predicted.

    bars: for each line the score with sound and the one without, where both are compared.
    """

    box: tuple[float, float, float, float]
    person_id: int
    lines: tuple[str, ...]
    is_truth: bool = False
    bars: tuple[tuple[float, float], ...] = ()


class Timeline:
    """The people of each keyframe, shown from half a keyframe before it to half a keyframe behind.

    Keyframes may lie as they like: at any time the nearest one counts, unless it is further away than half of the
    usual distance of `times_s`, which may hold keyframes without people.
    """

    def __init__(self, people: Mapping[float, Sequence[ShownPerson]], times_s: Iterable[float]) -> None:
        keyframes = np.unique(np.array([*times_s, *people], np.float64))
        self._times_s: NDArray[np.float64] = keyframes
        self._people = people
        self.spacing_s = usual_spacing(keyframes)

    def at(self, time_s: float) -> Sequence[ShownPerson]:
        keyframe_s = self.keyframe_at(time_s)
        return () if keyframe_s is None else self._people.get(keyframe_s, ())

    def keyframe_at(self, time_s: float) -> float | None:
        """The time of the keyframe that is shown then."""
        if not len(self._times_s):
            return None
        nearest = float(self._times_s[np.abs(self._times_s - time_s).argmin()])
        return nearest if abs(nearest - time_s) <= self.spacing_s / 2 else None


def usual_spacing(times_s: NDArray[np.float64]) -> float:
    """The distance in seconds from one keyframe to the next, of rising times that leave out those without people.

    Most distances may be several keyframes long, so the shortest tenth says it; of ten and more, a stray one does not.
    """
    distances = np.sort(np.diff(times_s))
    return float(distances[len(distances) // 10]) if len(distances) else _DEFAULT_SPACING_S


def detected_people(detections: pd.DataFrame, *, label_map: Mapping[int, str], min_score: float, top: int) -> Timeline:
    """Each person's `top` best actions of at least `min_score`; a person without any is not shown.

    Where the table has scores without sound too (`sound_gain.beside`), the better one of both counts, so that what
    sound took away is shown beside what it added.
    """
    compared = [name for name in ("score", WITHOUT_SOUND) if name in detections]
    best = detections.assign(best=detections[compared].max(axis=1))
    good = best[best["best"] >= min_score].sort_values("best", ascending=False, kind="stable")
    people: dict[float, list[ShownPerson]] = {}
    for time_s, box, person_id, rows in _persons(good):
        shown = rows[:top]
        names = [_name(action_id, label_map) for action_id in shown["action_id"]]
        lines = tuple(f"{name} {score:.2f}" for name, score in zip(names, shown["score"], strict=True))
        bars: tuple[tuple[float, float], ...] = ()
        if WITHOUT_SOUND in shown:
            bars = tuple(zip(shown["score"], shown[WITHOUT_SOUND].fillna(0.0), strict=True))
            lines = tuple(f"{line} ({without:.2f})" for line, (_, without) in zip(lines, bars, strict=True))
        people.setdefault(time_s, []).append(ShownPerson(box, person_id, lines, bars=bars))
    return Timeline(people, detections["timestamp"])


def true_people(ground_truth: pd.DataFrame, *, label_map: Mapping[int, str]) -> Timeline:
    """The annotated people with all their actions; rows with action_id 0 only list a keyframe."""
    people: dict[float, list[ShownPerson]] = {}
    for time_s, box, person_id, rows in _persons(ground_truth[ground_truth["action_id"] > 0]):
        lines = tuple(_name(action_id, label_map) for action_id in rows["action_id"])
        people.setdefault(time_s, []).append(ShownPerson(box, person_id, lines, is_truth=True))
    return Timeline(people, ground_truth["timestamp"])


def count_outside(detections: pd.DataFrame, timeline: Timeline, *, duration_s: float) -> int:
    """How many are at no time that a video of that length shows."""
    return int((~_is_inside(detections, timeline, duration_s)).sum())


def why_nothing_is_shown(detections: pd.DataFrame, timeline: Timeline, *, min_score: float, duration_s: float) -> str:
    """One sentence on why no detection is ever on screen in a video of that length."""
    if detections.empty:
        return "nothing is drawn: there are no detections for this video"
    outside = why_all_is_outside(detections, timeline, duration_s=duration_s)
    if outside is not None:
        return f"nothing is drawn: {outside}"
    inside = detections[_is_inside(detections, timeline, duration_s)]
    return f"nothing is drawn: no score over {min_score:g}; highest {inside['score'].max():.2f}"


def why_all_is_outside(detections: pd.DataFrame, timeline: Timeline, *, duration_s: float) -> str | None:
    """One sentence where there are detections, but none at a time that a video of that length shows."""
    if detections.empty or _is_inside(detections, timeline, duration_s).any():
        return None
    times_s = detections["timestamp"]
    return (
        f"its detections are at {times_s.min():g} to {times_s.max():g} s of the video, which lasts {duration_s:.1f} s; "
        "times are seconds, and if it was cut out of a longer one, give the second at which it begins"
    )


def _is_inside(detections: pd.DataFrame, timeline: Timeline, duration_s: float) -> pd.Series[bool]:
    return detections["timestamp"].between(-timeline.spacing_s / 2, duration_s + timeline.spacing_s / 2)


def short_names(label_map: Mapping[int, str]) -> dict[int, str]:
    """Names without what they have in brackets, where they stay different: "talk to (e.g., self)" is "talk to"."""
    short = {action_id: re.sub(r"\s*\(.*\)\s*$", "", name) or name for action_id, name in label_map.items()}
    counts = Counter(short.values())
    return {action_id: name if counts[name] == 1 else label_map[action_id] for action_id, name in short.items()}


def _persons(table: pd.DataFrame) -> Iterator[tuple[float, tuple[float, float, float, float], int, pd.DataFrame]]:
    """(time, box, person_id, rows) of each person of each keyframe: rows with the same box are one person's."""
    keyed = table if "person_id" in table else table.assign(person_id=-1)
    for _, rows in keyed.groupby(["timestamp", *BOX_COLUMNS, "person_id"], sort=True):
        first = rows.iloc[0]
        x1, y1, x2, y2 = (float(first[side]) for side in BOX_COLUMNS)
        yield float(first["timestamp"]), (x1, y1, x2, y2), int(first["person_id"]), rows


def _name(action_id: int, label_map: Mapping[int, str]) -> str:
    return label_map.get(action_id, f"action {action_id}")
