from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from avdet.synthetic.rhythm import TEMPOS, Beat, distinct_rhythm, draw_rhythm, overlap
from avdet.synthetic.rng import Dice


def beats(*times_s: float) -> list[Beat]:
    return [Beat(time_s, 0.1, 1.0) for time_s in times_s]


@given(st.integers(), st.sampled_from(sorted(TEMPOS)), st.floats(3.0, 8.0))
def test_beats_keep_their_span_and_leave_no_long_silence(seed: int, look: str, length_s: float) -> None:
    tempo = TEMPOS[look]  # type: ignore[index]
    end_s = 10.0 + length_s
    beats = draw_rhythm(tempo, 10.0, end_s, Dice(seed))
    times = [10.0, *(beat.time_s for beat in beats)]
    assert all(0.0 < later - earlier < 1.6 for earlier, later in pairwise(times))
    assert end_s - times[-1] < 2.0
    assert all(beat.time_s + beat.length_s <= end_s for beat in beats)


def test_overlap_counts_the_beats_that_have_another_near() -> None:
    assert overlap(beats(1.0, 2.0, 3.0, 4.0), beats(1.2, 3.5)) == 0.25  # only 1.0 has one within 0.25 s
    assert overlap(beats(), beats(1.0)) == 0.0
    assert overlap(beats(1.0), beats()) == 0.0


def test_a_second_person_is_mostly_out_of_step_with_the_first() -> None:
    tempo = TEMPOS["clap"]
    chosen, blind = [], []
    for seed in range(60):
        first = draw_rhythm(tempo, 0.0, 6.0, Dice("first", seed))
        chosen.append(overlap(distinct_rhythm(tempo, 0.0, 6.0, first, Dice("second", seed)), first))
        blind.append(overlap(draw_rhythm(tempo, 0.0, 6.0, Dice("second", seed)), first))
    assert sum(chosen) / 60 < 0.45 < sum(blind) / 60


def test_a_tempo_is_of_one_persons_act() -> None:
    drawn = draw_rhythm(TEMPOS["mouth"], 0.0, 8.0, Dice(3))
    lengths = {round(beat.length_s, 9) for beat in drawn}
    assert len(lengths) == 1 and 0.15 <= lengths.pop() <= 0.225
