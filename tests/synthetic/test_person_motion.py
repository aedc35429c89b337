import math
from dataclasses import replace
from itertools import pairwise

import pytest

from avdet.synthetic.person_motion import ARM, SHIN, THIGH, motion_at, mouth_opening, pulse, skeleton_at
from tests.synthetic.tiny import BEATS, person

WIDTH, HEIGHT = 320, 240


def test_a_pulse_peaks_on_its_beats() -> None:
    assert pulse(BEATS, 2.0, 0.1, 0.2) == 1.0
    assert pulse(BEATS, 2.1, 0.1, 0.2) == pytest.approx(0.5)  # half of the 0.2 s after the beat
    assert pulse(BEATS, 2.5, 0.1, 0.2) == pytest.approx(0.8)
    assert pulse(BEATS, 2.3, 0.1, 0.2) == 0.0


def test_the_mouth_opens_once_per_syllable() -> None:
    assert mouth_opening(BEATS, 2.1) == pytest.approx(1.0)
    assert mouth_opening(BEATS, 2.6) == pytest.approx(0.8)
    assert mouth_opening(BEATS, 2.3) == mouth_opening(BEATS, 1.9) == 0.0


def test_clapping_hands_meet_on_the_beats() -> None:
    actor = person("clap")
    apart = {time_s: motion_at(actor, time_s).right_x - motion_at(actor, time_s).left_x for time_s in (1.5, 2.0, 2.5)}
    assert apart[2.0] == pytest.approx(0.06) and apart[1.5] == pytest.approx(0.6) and apart[2.0] < apart[2.5] < 0.2


def test_drumming_hands_alternate() -> None:
    actor = person("drum")
    assert motion_at(actor, 2.0).left_y < motion_at(actor, 2.0).right_y
    assert motion_at(actor, 2.5).right_y < motion_at(actor, 2.5).left_y


def test_waving_hands_are_high_and_swing_sideways() -> None:
    actor = person("wave")
    path = [motion_at(actor, 1.0 + step / 30) for step in range(30)]
    assert min(min(one.left_y, one.right_y) for one in path) > 0.2
    assert max(one.right_x for one in path) - min(one.right_x for one in path) > 0.2


@pytest.mark.parametrize("gesture", ["clap", "mouth", "drum"])
def test_audible_and_silent_gestures_move_identically(gesture: str) -> None:
    times = [step / 30 for step in range(180)]
    audible, silent = person(gesture, audible=True), person(gesture, audible=False)
    assert [motion_at(audible, time_s) for time_s in times] == [motion_at(silent, time_s) for time_s in times]


def test_motion_is_continuous_across_segments() -> None:
    actor = person("clap", pose="sit")
    path = [motion_at(actor, 4.7 + step / 300) for step in range(180)]
    assert all(max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.05 for before, after in pairwise(path))
    assert path[0].sit == path[-1].sit == 1.0 and math.isclose(path[-1].left_y, -0.29)


@pytest.mark.parametrize("pose", ["stand", "sit", "walk"])
@pytest.mark.parametrize("gesture", ["idle", "wave", "clap", "mouth", "drum"])
def test_bones_are_never_longer_than_they_are(pose: str, gesture: str) -> None:
    """They may be shorter: foreshortened."""
    for step in range(40):
        body = skeleton_at(person(gesture, pose), step / 10, WIDTH, HEIGHT)
        for side in (0, 1):
            thigh, shin = math.dist(body.hips[side], body.knees[side]), math.dist(body.knees[side], body.feet[side])
            assert max(thigh / THIGH, shin / SHIN) <= 1.02 * body.unit_px
            upper_arm = math.dist(body.shoulders[side], body.elbows[side])
            forearm = math.dist(body.elbows[side], body.hands[side])
            assert max(upper_arm, forearm) <= ARM * body.unit_px * 1.001


def test_standing_feet_are_on_the_ground_and_the_head_is_one_body_height_up() -> None:
    body = skeleton_at(person("idle"), 1.0, WIDTH, HEIGHT)
    assert body.unit_px == pytest.approx(0.7 * HEIGHT)
    assert body.feet[0][1] == pytest.approx(0.9 * HEIGHT - 0.02 * body.unit_px)
    x1, y1, x2, y2 = body.box_px()
    assert (y2 - y1) / body.unit_px == pytest.approx(1.05, abs=0.05)
    assert x1 < body.head[0] < x2


def test_a_sitting_person_is_lower_with_the_knees_in_front_of_the_hips() -> None:
    standing, sitting = (skeleton_at(person("idle", pose), 1.0, WIDTH, HEIGHT) for pose in ("stand", "sit"))
    assert sitting.box_px()[1] > standing.box_px()[1] + 0.15 * standing.unit_px
    assert sitting.knees[0][0] > sitting.hips[0][0] + 0.1 * sitting.unit_px  # the person faces right


def test_a_walking_person_faces_the_walking_direction() -> None:
    actor = person("idle", "walk")
    early, late = skeleton_at(actor, 0.3, WIDTH, HEIGHT), skeleton_at(actor, 0.8, WIDTH, HEIGHT)
    assert late.ground[0] - early.ground[0] == pytest.approx(0.5 * 0.4 * early.unit_px)
    assert early.motion.facing == 1.0
    turned = replace(actor, segments=(replace(actor.segments[0], facing=-1), actor.segments[1]))
    assert skeleton_at(turned, 0.3, WIDTH, HEIGHT).motion.facing == -1.0


def test_the_box_contains_every_joint() -> None:
    body = skeleton_at(person("wave", "walk"), 2.2, WIDTH, HEIGHT)
    x1, y1, x2, y2 = body.box_px()
    for pair in (body.hips, body.knees, body.feet, body.shoulders, body.elbows, body.hands):
        assert all(x1 < x < x2 and y1 < y < y2 for x, y in pair)
