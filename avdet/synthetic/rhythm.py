"""When hands meet, sticks fall and mouths open: beats in bursts with rests between them.

Bursts of about a second and rests nearly as long let synchrony be heard and seen at a coarse grain too:
while one person beats, the other mostly rests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avdet.synthetic.classes import Look
from avdet.synthetic.rng import Dice


@dataclass(frozen=True)
class Beat:
    """One clap, hit or syllable: it begins at `time_s` (clap and hit: the contact), `strength` is 0 to 1."""

    time_s: float
    length_s: float
    strength: float


@dataclass(frozen=True)
class Tempo:
    """Ranges that one person's rhythm is drawn from."""

    period_s: tuple[float, float]
    beats: tuple[int, int]
    rest_s: tuple[float, float]
    fill: float  # the share of a period that a beat takes


TEMPOS: dict[Look, Tempo] = {
    "clap": Tempo((0.26, 0.42), (2, 4), (0.6, 1.1), 0.6),
    "drum": Tempo((0.22, 0.40), (2, 5), (0.6, 1.1), 0.6),
    "mouth": Tempo((0.20, 0.30), (3, 6), (0.55, 1.0), 0.75),
}


def draw_rhythm(tempo: Tempo, start_s: float, end_s: float, dice: Dice) -> tuple[Beat, ...]:
    """Beats between two times, with one period for the whole act and a length of its own for each burst and rest."""
    period_s = dice.uniform(*tempo.period_s)
    now_s = start_s + dice.uniform(0.1, 0.8)
    beats: list[Beat] = []
    while True:
        for _ in range(dice.integer(*tempo.beats)):
            if now_s + period_s > end_s:
                return tuple(beats)
            beats.append(Beat(now_s, period_s * tempo.fill, dice.uniform(0.75, 1.0)))
            now_s += period_s * dice.uniform(0.9, 1.1)
        now_s += dice.uniform(*tempo.rest_s)


def overlap(beats: Sequence[Beat], others: Sequence[Beat], within_s: float = 0.25) -> float:
    """The share of beats that fall within `within_s` of one of the others' (0 without beats)."""
    times_s = [other.time_s for other in others]
    near = sum(any(abs(beat.time_s - time_s) < within_s for time_s in times_s) for beat in beats)
    return near / max(len(beats), 1)


def distinct_rhythm(
    tempo: Tempo, start_s: float, end_s: float, others: Sequence[Beat], dice: Dice, tries: int = 16
) -> tuple[Beat, ...]:
    """Of several drawn rhythms the one least in step with what the others do at the time."""
    drawn = [draw_rhythm(tempo, start_s, end_s, dice) for _ in range(tries)]
    return min(drawn, key=lambda beats: overlap(beats, others))
