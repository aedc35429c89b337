"""Person tracks for the player page: each person's boxes and scores in order of time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TypedDict

from avdet.visualization.labelled_person import Action, Keyframes, LabelledPerson
from avdet.visualization.person_timeline import PersonTimeline, short_names
from avdet.visualization.person_tracks import linked

__all__ = ["MIN_SCORE", "Track", "TrackSet", "action_names", "detection_tracks", "ground_truth_tracks"]

MIN_SCORE = 0.02  # lower scores, most of a table, are left out of a page; if all are lower, the highest stay


class Track(TypedDict):
    """One person: for each time a box (normalised xyxy) and scores [[class, score], ..], highest first.

    A class is an index into `action_names`. With two models: [class, score, the second model's score].
    """

    id: int
    times: list[float]
    boxes: list[list[float]]
    scores: list[list[list[float]]]


@dataclass(frozen=True)
class TrackSet:
    """The tracks of one timeline. half_interval_s: how long boxes are shown before and after a keyframe."""

    half_interval_s: float
    tracks: list[Track]
    num_models: int = 1


def action_names(timelines: Sequence[PersonTimeline], label_map: Mapping[int, str] | None = None) -> dict[int, str]:
    """Returns the names of the actions that occur, and of all in `label_map`, sorted by action id."""
    occurring = chain.from_iterable(timeline.action_names.items() for timeline in timelines)
    return dict(sorted({**short_names(label_map or {}), **dict(occurring)}.items()))


def detection_tracks(
    detections: PersonTimeline, names: Mapping[int, str], duration_s: float = math.inf, min_score: float = MIN_SCORE
) -> TrackSet:
    """Returns the tracks of detected persons; persons without ids are linked from keyframe to keyframe.

    Left out: keyframes outside a video of this length, and lower scores than `min_score` unless all are lower; of two
    models the higher score counts.
    """
    best = [action.best_score for keyframe in detections.persons.values() for p in keyframe for action in p.actions]
    min_score = min(min_score, max(best, default=0.0))
    keyframes = {
        time_s: [person for person in (_with_scores_from(min_score, one) for one in keyframe) if person.actions]
        for time_s, keyframe in detections.persons.items()
        if _is_shown(time_s, detections, duration_s)
    }
    return _track_set({time_s: persons for time_s, persons in keyframes.items() if persons}, detections, names)


def ground_truth_tracks(
    ground_truth: PersonTimeline, names: Mapping[int, str], duration_s: float = math.inf
) -> TrackSet:
    """Returns the tracks of annotated persons, whose actions have score 1."""
    shown = {t: persons for t, persons in ground_truth.persons.items() if _is_shown(t, ground_truth, duration_s)}
    return _track_set(shown, ground_truth, names)


def _is_shown(time_s: float, timeline: PersonTimeline, duration_s: float) -> bool:
    return -timeline.interval_s / 2 <= time_s <= duration_s + timeline.interval_s / 2


def _with_scores_from(min_score: float, person: LabelledPerson) -> LabelledPerson:
    actions = [action for action in person.actions if action.best_score >= min_score]
    return replace(person, actions=tuple(sorted(actions, key=lambda action: action.score, reverse=True)))


def _track_set(keyframes: Keyframes, timeline: PersonTimeline, names: Mapping[int, str]) -> TrackSet:
    class_of = {action_id: index for index, action_id in enumerate(names)}
    tracks: dict[int, Track] = {}
    for time_s, persons in _with_person_ids(keyframes).items():
        for person in persons:
            track = tracks.setdefault(person.person_id, Track(id=person.person_id, times=[], boxes=[], scores=[]))
            track["times"].append(round(time_s, 4))
            track["boxes"].append([round(side, 4) for side in person.box])
            track["scores"].append([[class_of[action.action_id], *_scores(action)] for action in person.actions])
    num_models = max(
        (len(entry) - 1 for one in tracks.values() for entries in one["scores"] for entry in entries), default=1
    )
    return TrackSet(timeline.interval_s / 2, [tracks[person_id] for person_id in sorted(tracks)], num_models)


def _scores(action: Action) -> list[float]:
    scores = [action.score] if action.score_without_audio is None else [action.score, action.score_without_audio]
    return [round(score, 3) for score in scores]


def _with_person_ids(keyframes: Keyframes) -> Keyframes:
    """Links persons if none has an id; where some have, each of the others gets an id of its own."""
    keyframes = linked(keyframes)
    ids = [person.person_id for persons in keyframes.values() for person in persons]
    unused = count(max(ids, default=-1) + 1)
    return {
        time_s: [replace(one, person_id=next(unused)) if one.person_id < 0 else one for one in persons]
        for time_s, persons in keyframes.items()
    }
