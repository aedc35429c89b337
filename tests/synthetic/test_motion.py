import math
from dataclasses import replace
from itertools import pairwise

import pytest

from avdet.synthetic.motion import gesture_at, mouth_open, pulse
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import Act, Actor

BEATS = (Beat(2.0, 0.2, 1.0), Beat(2.5, 0.2, 0.8))


def person(look: str, pose: str = "stand", heard: bool = False, **more: object) -> Actor:
    act = Act(
        0.0, 5.0, pose, look, heard, BEATS, 0.5, 1, 1, "apple",  # type: ignore[arg-type]
    )  # fmt: skip
    still = replace(act, start_s=5.0, end_s=9.0, look="idle", beats=())
    return Actor(0, 0.7, 0.9, (0.2, 0.8), 0.4, None, (act, still))


def test_a_pulse_peaks_on_its_beats() -> None:
    assert pulse(BEATS, 2.0, 0.1, 0.2) == 1.0
    assert pulse(BEATS, 2.1, 0.1, 0.2) == pytest.approx(0.5)  # half way down a fall of 0.2 s
    assert pulse(BEATS, 2.5, 0.1, 0.2) == pytest.approx(0.8)
    assert pulse(BEATS, 2.3, 0.1, 0.2) == 0.0


def test_a_mouth_opens_once_a_syllable() -> None:
    assert mouth_open(BEATS, 2.1) == pytest.approx(1.0)
    assert mouth_open(BEATS, 2.6) == pytest.approx(0.8)
    assert mouth_open(BEATS, 2.3) == mouth_open(BEATS, 1.9) == 0.0


def test_hands_meet_when_they_clap() -> None:
    actor = person("clap")
    apart = {time_s: gesture_at(actor, time_s).right_x - gesture_at(actor, time_s).left_x for time_s in (1.5, 2.0, 2.5)}
    assert apart[2.0] == pytest.approx(0.06) and apart[1.5] == pytest.approx(0.6) and apart[2.0] < apart[2.5] < 0.2


def test_sticks_take_turns() -> None:
    actor = person("drum")
    assert gesture_at(actor, 2.0).left_y < gesture_at(actor, 2.0).right_y
    assert gesture_at(actor, 2.5).right_y < gesture_at(actor, 2.5).left_y


def test_waving_hands_are_high_and_swing_sideways() -> None:
    actor = person("wave")
    path = [gesture_at(actor, 1.0 + step / 30) for step in range(30)]
    assert min(min(one.left_y, one.right_y) for one in path) > 0.2
    assert max(one.right_x for one in path) - min(one.right_x for one in path) > 0.2


@pytest.mark.parametrize("look", ["clap", "mouth", "drum"])
def test_the_silent_twin_moves_exactly_alike(look: str) -> None:
    times = [step / 30 for step in range(180)]
    heard, mimed = person(look, heard=True), person(look, heard=False)
    assert [gesture_at(heard, time_s) for time_s in times] == [gesture_at(mimed, time_s) for time_s in times]


def test_one_act_flows_into_the_next() -> None:
    actor = person("clap", pose="sit")
    path = [gesture_at(actor, 4.7 + step / 300) for step in range(180)]
    assert all(max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.05 for before, after in pairwise(path))
    assert path[0].sit == path[-1].sit == 1.0 and math.isclose(path[-1].left_y, -0.29)
