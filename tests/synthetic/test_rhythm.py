from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from avdet.synthetic.rhythm import RHYTHMS, Beat, least_overlapping_rhythm, overlap_fraction, random_rhythm
from avdet.synthetic.rng import Rng


def beats(*times_s: float) -> list[Beat]:
    return [Beat(time_s, 0.1, 1.0) for time_s in times_s]


@given(st.integers(), st.sampled_from(sorted(RHYTHMS)), st.floats(3.0, 8.0))
def test_beats_stay_in_their_interval_and_leave_no_long_pause(seed: int, gesture: str, length_s: float) -> None:
    ranges = RHYTHMS[gesture]  # type: ignore[index]
    end_s = 10.0 + length_s
    beats = random_rhythm(ranges, 10.0, end_s, Rng(seed))
    times = [10.0, *(beat.time_s for beat in beats)]
    assert all(0.0 < later - earlier < 1.6 for earlier, later in pairwise(times))
    assert end_s - times[-1] < 2.0
    assert all(beat.time_s + beat.length_s <= end_s for beat in beats)


def test_overlap_is_the_fraction_of_beats_near_another() -> None:
    assert overlap_fraction(beats(1.0, 2.0, 3.0, 4.0), beats(1.2, 3.5)) == 0.25  # only 1.0 has one within 0.25 s
    assert overlap_fraction(beats(), beats(1.0)) == 0.0
    assert overlap_fraction(beats(1.0), beats()) == 0.0


def test_a_second_person_mostly_rests_while_the_first_beats() -> None:
    ranges = RHYTHMS["clap"]
    chosen, independent = [], []
    for seed in range(60):
        first = random_rhythm(ranges, 0.0, 6.0, Rng("first", seed))
        second = least_overlapping_rhythm(ranges, 0.0, 6.0, first, Rng("second", seed))
        chosen.append(overlap_fraction(second, first))
        independent.append(overlap_fraction(random_rhythm(ranges, 0.0, 6.0, Rng("second", seed)), first))
    assert sum(chosen) / 60 < 0.45 < sum(independent) / 60


def test_one_rhythm_has_one_beat_length() -> None:
    drawn = random_rhythm(RHYTHMS["mouth"], 0.0, 8.0, Rng(3))
    lengths = {round(beat.length_s, 9) for beat in drawn}
    assert len(lengths) == 1 and 0.15 <= lengths.pop() <= 0.225
