"""Rhythms of claps, drum hits and syllables: bursts of beats with rests between them.

Bursts of about a second and rests of nearly the same length keep synchrony measurable at a coarse time resolution:
while one person's beats sound, another person mostly rests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avdet.synthetic.classes import Gesture
from avdet.synthetic.rng import Rng


@dataclass(frozen=True)
class Beat:
    """One clap, drum hit or syllable. `time_s` is its onset (clap and hit: the contact); `strength` is 0 to 1."""

    time_s: float
    length_s: float
    strength: float


@dataclass(frozen=True)
class RhythmRange:
    """The ranges from which one rhythm is drawn."""

    period_s: tuple[float, float]
    beats_per_burst: tuple[int, int]
    rest_s: tuple[float, float]
    duty_cycle: float  # a beat's length as a fraction of the period


RHYTHMS: dict[Gesture, RhythmRange] = {
    "clap": RhythmRange((0.26, 0.42), (2, 4), (0.6, 1.1), 0.6),
    "drum": RhythmRange((0.22, 0.40), (2, 5), (0.6, 1.1), 0.6),
    "mouth": RhythmRange((0.20, 0.30), (3, 6), (0.55, 1.0), 0.75),
}


def random_rhythm(ranges: RhythmRange, start_s: float, end_s: float, rng: Rng) -> tuple[Beat, ...]:
    """Returns beats between two times. The period is drawn once, each burst's and rest's length anew."""
    period_s = rng.uniform(*ranges.period_s)
    now_s = start_s + rng.uniform(0.1, 0.8)
    beats: list[Beat] = []
    while True:
        for _ in range(rng.integer(*ranges.beats_per_burst)):
            if now_s + period_s > end_s:
                return tuple(beats)
            beats.append(Beat(now_s, period_s * ranges.duty_cycle, rng.uniform(0.75, 1.0)))
            now_s += period_s * rng.uniform(0.9, 1.1)
        now_s += rng.uniform(*ranges.rest_s)


def overlap_fraction(beats: Sequence[Beat], others: Sequence[Beat], within_s: float = 0.25) -> float:
    """Returns the fraction of `beats` with a beat of `others` less than `within_s` away; 0 without beats."""
    times_s = [other.time_s for other in others]
    near = sum(any(abs(beat.time_s - time_s) < within_s for time_s in times_s) for beat in beats)
    return near / max(len(beats), 1)


def least_overlapping_rhythm(
    ranges: RhythmRange, start_s: float, end_s: float, others: Sequence[Beat], rng: Rng, tries: int = 16
) -> tuple[Beat, ...]:
    """Draws `tries` rhythms and returns the one that overlaps least with the beats of `others`."""
    drawn = [random_rhythm(ranges, start_s, end_s, rng) for _ in range(tries)]
    return min(drawn, key=lambda beats: overlap_fraction(beats, others))
