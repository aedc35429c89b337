"""Which persons are shown at a time, with boxes interpolated between keyframes: the rule of player/interpolate.js."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import torch

from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes
from avdet.visualization.labelled_person import Box, Keyframes, LabelledPerson

__all__ = ["PersonTracks", "linked"]

_ROUNDING = 1.001  # times in files are rounded: 0.0333 s instead of 1/30 s


@dataclass
class _Track:
    """One person at each of its keyframes, by time."""

    times_s: list[float] = field(default_factory=list)
    persons: list[LabelledPerson] = field(default_factory=list)

    def at(self, time_s: float, half_interval_s: float) -> LabelledPerson | None:
        """The person as at the nearest keyframe, with the box of `time_s`; None if that keyframe is too far away."""
        before = bisect_right(self.times_s, time_s) - 1
        after = min(before + 1, len(self.times_s) - 1)
        is_before = before >= 0 and time_s - self.times_s[before] <= abs(self.times_s[after] - time_s)
        nearest = before if is_before else after
        if abs(self.times_s[nearest] - time_s) > half_interval_s * _ROUNDING:
            return None
        person = self.persons[nearest]
        if not 0 <= before < after or self.times_s[after] - self.times_s[before] > 2 * half_interval_s * _ROUNDING:
            return person
        weight = (time_s - self.times_s[before]) / (self.times_s[after] - self.times_s[before])
        return replace(person, box=_between(self.persons[before].box, self.persons[after].box, weight))


class PersonTracks:
    """Labelled persons at any time. Each keyframe is shown for half a keyframe interval before and after it.

    The box moves linearly between two keyframes that both have the person. Persons without ids (-1) are linked if none
    has an id; else each keyframe's stand still.
    """

    def __init__(self, keyframes: Keyframes, interval_s: float) -> None:
        self._half_interval_s = interval_s / 2
        tracks: dict[tuple[int, object], _Track] = {}
        for time_s, persons in linked(keyframes).items():
            count: Counter[int] = Counter()
            for person in persons:  # a table may repeat an id within a keyframe
                number = count[person.person_id]
                count[person.person_id] += 1
                key = (person.person_id, number if person.person_id >= 0 else (time_s, number))
                track = tracks.setdefault(key, _Track())
                track.times_s.append(time_s)
                track.persons.append(person)
        self._tracks = list(tracks.values())
        self._first_s = np.array([track.times_s[0] for track in self._tracks], np.float64)
        self._last_s = np.array([track.times_s[-1] for track in self._tracks], np.float64)

    def at(self, time_s: float) -> list[LabelledPerson]:
        """The persons shown at `time_s`."""
        margin_s = self._half_interval_s * _ROUNDING
        may_be_shown = (self._first_s <= time_s + margin_s) & (self._last_s >= time_s - margin_s)
        shown = (self._tracks[k].at(time_s, self._half_interval_s) for k in np.flatnonzero(may_be_shown).tolist())
        return [person for person in shown if person is not None]


def linked(keyframes: Keyframes) -> Mapping[float, Sequence[LabelledPerson]]:
    """The persons of keyframes in order of time; if none has an id, they are linked and have new ids."""
    persons = list(chain.from_iterable(keyframes.values()))
    if not persons or max(person.person_id for person in persons) >= 0:
        return keyframes
    boxes = [torch.tensor([person.box for person in shown]).reshape(-1, 4) for shown in keyframes.values()]
    found = link_persons(list(keyframes), [PersonBoxes.from_boxes(one) for one in boxes])
    ids = chain.from_iterable(one.person_ids.tolist() for one in found)
    return {time_s: [replace(person, person_id=next(ids)) for person in shown] for time_s, shown in keyframes.items()}


def _between(start: Box, end: Box, weight: float) -> Box:
    x1, y1, x2, y2 = (a + weight * (b - a) for a, b in zip(start, end, strict=True))
    return x1, y1, x2, y2
