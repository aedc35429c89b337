import numpy as np
import pytest

from avdet.synthetic.classes import TWIN_LOOKS
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_frame import ScenePicture, person_box
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.tiny import with_act

SETTINGS = SampleSettings()


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return write_scenes(SETTINGS, "train", 1)[:8]


def test_a_frame_is_the_same_whenever_it_is_drawn(scenes: list[Scene]) -> None:
    one = ScenePicture(scenes[0], SETTINGS)
    late, early = one.frame(5.0).copy(), one.frame(2.0).copy()
    again = ScenePicture(scenes[0], SETTINGS)
    assert np.array_equal(again.frame(2.0), early) and np.array_equal(again.frame(5.0), late)
    assert late.shape == (240, 320, 3) and late.dtype == np.uint8


def test_the_silent_twin_looks_the_same_to_the_last_pixel(scenes: list[Scene]) -> None:
    compared = 0
    for scene in scenes:
        for person, actor in enumerate(scene.actors):
            for index, act in enumerate(actor.acts):
                if act.look in TWIN_LOOKS and compared < 12:
                    twin = with_act(scene, person, index, heard=not act.heard)
                    middle = (act.start_s + act.end_s) / 2
                    first, second = ScenePicture(scene, SETTINGS), ScenePicture(twin, SETTINGS)
                    assert all(np.array_equal(first.frame(middle + s), second.frame(middle + s)) for s in (0.0, 0.13))
                    compared += 1
    assert compared == 12


def test_what_moves_in_a_box_is_the_person(scenes: list[Scene]) -> None:
    """Frames of one scene with and without a person differ inside that person's box and nearly nowhere else."""
    for scene in scenes[:4]:
        actor = scene.actors[-1]
        alone = Scene(**{**scene.__dict__, "actors": scene.actors[:-1]})
        changed = np.any(ScenePicture(scene, SETTINGS).frame(6.0) != ScenePicture(alone, SETTINGS).frame(6.0), axis=2)
        x1, y1, x2, y2 = person_box(scene, actor, 6.0, SETTINGS)
        columns, rows = np.flatnonzero(changed.any(axis=0)), np.flatnonzero(changed.any(axis=1))
        assert abs(rows[0] - y1 * 240) < 14 and abs(rows[-1] - y2 * 240) < 8  # a hat or a bun may stand out
        assert columns[0] > x1 * 320 - 25 and columns[-1] < x2 * 320 + 25  # so may a stool
        inside = changed[round(y1 * 240) : round(y2 * 240), round(x1 * 320) : round(x2 * 320)].sum()
        assert inside > 0.85 * changed.sum()


def test_boxes_are_fractions_of_the_frame(scenes: list[Scene]) -> None:
    for scene in scenes:
        for second in scene.keyframes_s:
            for actor in scene.actors:
                x1, y1, x2, y2 = person_box(scene, actor, second, SETTINGS)
                assert 0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0
                assert 0.35 < y2 - y1 < 0.95
