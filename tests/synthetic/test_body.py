import math
from dataclasses import replace

import pytest

from avdet.synthetic.body import ARM, SHIN, THIGH, body_at
from tests.synthetic.test_motion import person

WIDTH, HEIGHT = 320, 240


def far(one: tuple[float, float], other: tuple[float, float]) -> float:
    return math.dist(one, other)


@pytest.mark.parametrize("pose", ["stand", "sit", "walk"])
@pytest.mark.parametrize("look", ["idle", "wave", "clap", "mouth", "drum"])
def test_bones_keep_their_length_or_point_at_the_viewer(pose: str, look: str) -> None:
    for step in range(40):
        body = body_at(person(look, pose), step / 10, WIDTH, HEIGHT)
        for side in (0, 1):
            thigh, shin = far(body.hips[side], body.knees[side]), far(body.knees[side], body.feet[side])
            assert max(thigh / THIGH, shin / SHIN) <= 1.02 * body.unit_px
            for arm in (far(body.shoulders[side], body.elbows[side]), far(body.elbows[side], body.hands[side])):
                assert arm <= ARM * body.unit_px * 1.001


def test_standing_feet_are_on_the_ground_and_the_head_is_one_body_height_up() -> None:
    body = body_at(person("idle"), 1.0, WIDTH, HEIGHT)
    assert body.unit_px == pytest.approx(0.7 * HEIGHT)
    assert body.feet[0][1] == pytest.approx(0.9 * HEIGHT - 0.02 * body.unit_px)
    x1, y1, x2, y2 = body.box_px()
    assert (y2 - y1) / body.unit_px == pytest.approx(1.05, abs=0.05)
    assert x1 < body.head[0] < x2


def test_who_sits_is_lower_and_has_knees_before_the_hips() -> None:
    standing, sitting = (body_at(person("idle", pose), 1.0, WIDTH, HEIGHT) for pose in ("stand", "sit"))
    assert sitting.box_px()[1] > standing.box_px()[1] + 0.15 * standing.unit_px
    assert sitting.knees[0][0] > sitting.hips[0][0] + 0.1 * sitting.unit_px  # who faces right


def test_who_walks_moves_on_and_faces_where_they_go() -> None:
    actor = person("idle", "walk")
    early, late = body_at(actor, 0.3, WIDTH, HEIGHT), body_at(actor, 0.8, WIDTH, HEIGHT)
    assert late.ground[0] - early.ground[0] == pytest.approx(0.5 * 0.4 * early.unit_px)
    assert early.gesture.facing == 1.0
    turned = replace(actor, acts=(replace(actor.acts[0], facing=-1), actor.acts[1]))
    assert body_at(turned, 0.3, WIDTH, HEIGHT).gesture.facing == -1.0


def test_the_box_holds_every_joint() -> None:
    body = body_at(person("wave", "walk"), 2.2, WIDTH, HEIGHT)
    x1, y1, x2, y2 = body.box_px()
    for pair in (body.hips, body.knees, body.feet, body.shoulders, body.elbows, body.hands):
        assert all(x1 < x < x2 and y1 < y < y2 for x, y in pair)
