"""How each look moves: hands and mouth as functions of time, in body heights from the middle of the shoulders (y up).

Heard or only mimed, a look moves by one and the same function of its beats: nothing here asks `Act.heard`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from avdet.synthetic.classes import Look
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import Act, Actor

CHANGE_S = 0.3  # how long one act takes to flow into the next
Hand = tuple[float, float]


class Gesture(NamedTuple):
    """All that moves in a person, as numbers that can be mixed; hands by the picture's side."""

    left_x: float
    left_y: float
    right_x: float
    right_y: float
    mouth: float = 0.0  # 0 closed, 1 wide open
    snack: float = 0.0  # how far what is held is shown, 0 to 1
    drum: float = 0.0  # likewise the drum and its sticks
    sit: float = 0.0
    stride: float = 0.0
    facing: float = 1.0


def mixed(one: Gesture, other: Gesture, share: float) -> Gesture:
    return Gesture(*(a + (b - a) * share for a, b in zip(one, other, strict=True)))


def gesture_at(actor: Actor, time_s: float) -> Gesture:
    """The gesture of the act at a time, eased from the last one and into the next around each change."""
    acts = actor.acts
    index = acts.index(actor.act_at(time_s))
    here = _gesture(acts[index], time_s)
    if index + 1 < len(acts) and acts[index].end_s - time_s < CHANGE_S / 2:
        share = _ease(0.5 - (acts[index].end_s - time_s) / CHANGE_S)
        return mixed(here, _gesture(acts[index + 1], time_s), share)
    if index > 0 and time_s - acts[index].start_s < CHANGE_S / 2:
        share = _ease(0.5 + (time_s - acts[index].start_s) / CHANGE_S)
        return mixed(_gesture(acts[index - 1], time_s), here, share)
    return here


def _gesture(act: Act, time_s: float) -> Gesture:
    return GESTURES[act.look](act, time_s)._replace(
        sit=float(act.pose == "sit"), stride=float(act.pose == "walk"), facing=float(act.facing)
    )


def _ease(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


def pulse(beats: tuple[Beat, ...], time_s: float, rise_s: float, fall_s: float) -> float:
    """1 on each beat, 0 away from it: raised cosines `rise_s` before and `fall_s` after."""
    best = 0.0
    for beat in beats:
        off = time_s - beat.time_s
        if -rise_s < off < fall_s:
            width = rise_s if off < 0 else fall_s
            best = max(best, beat.strength * (0.5 + 0.5 * math.cos(math.pi * off / width)))
    return best


def mouth_open(beats: tuple[Beat, ...], time_s: float) -> float:
    """Opens and closes once a syllable."""
    for beat in beats:
        along = (time_s - beat.time_s) / beat.length_s
        if 0.0 < along < 1.0:
            return beat.strength * math.sin(math.pi * along)
    return 0.0


def _hanging(act: Act, time_s: float) -> tuple[Hand, Hand]:
    """Arms at the sides, swinging with the steps of who walks; hands on the lap of who sits."""
    if act.pose == "sit":
        return (-0.09 + 0.04 * act.facing, -0.29), (0.09 + 0.04 * act.facing, -0.29)
    swing = 0.10 * math.sin(2 * math.pi * STEPS_HZ * time_s) if act.pose == "walk" else 0.01 * math.sin(1.7 * time_s)
    return (-0.17 + swing, -0.31), (0.17 + swing, -0.31)


STEPS_HZ = 0.95


def _idle(act: Act, time_s: float) -> Gesture:
    (left_x, left_y), (right_x, right_y) = _hanging(act, time_s)
    return Gesture(left_x, left_y, right_x, right_y)


def _wave(act: Act, time_s: float) -> Gesture:
    """Both arms overhead, swinging to one side and the other."""
    swing = 0.13 * math.sin(2 * math.pi * 1.5 * time_s + act.start_s)
    return Gesture(-0.22 + swing, 0.28, 0.22 + swing, 0.28)


def _clap(act: Act, time_s: float) -> Gesture:
    apart = 0.03 + 0.27 * (1.0 - pulse(act.beats, time_s, 0.14, 0.16))
    return Gesture(-apart, -0.03, apart, -0.03)


def _drum(act: Act, time_s: float) -> Gesture:
    """Left and right take turns; each rests high and falls on its beats."""
    left = pulse(act.beats[0::2], time_s, 0.11, 0.22)
    right = pulse(act.beats[1::2], time_s, 0.11, 0.22)
    return Gesture(-0.15, 0.0 - 0.16 * left, 0.15, 0.0 - 0.16 * right, drum=1.0)


def _mouth(act: Act, time_s: float) -> Gesture:
    """One hand near the chin, with or without something in it, the other with a plate; the mouth follows the beats."""
    lift = 0.03 * math.sin(2 * math.pi * 0.4 * time_s + act.start_s)
    high, low = (0.09, -0.05 + lift), (0.12, -0.2)
    (left_x, left_y), (right_x, right_y) = (high, low) if act.hand < 0 else (low, high)
    return Gesture(-left_x, left_y, right_x, right_y, mouth=mouth_open(act.beats, time_s), snack=1.0)


GESTURES: dict[Look, Callable[[Act, float], Gesture]] = {
    "idle": _idle, "wave": _wave, "clap": _clap, "drum": _drum, "mouth": _mouth,
}  # fmt: skip
