from itertools import pairwise

import pytest

from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.tiny import person, segments_of


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return write_scenes(SampleSettings(num_train=100), "train", 0, max_attempts=1)


def test_labelled_persons_leave_out_keyframes_near_a_change() -> None:
    """Two persons in nine seconds: keyframes 2 to 7 except 5, where the segments change."""
    actors = (person("clap"), person("wave"))
    scene = Scene("two", "val", 0, 9.0, actors, (), ())
    assert scene.excluded_s() == [5]
    assert [(actor is actors[0], second) for actor, second in scene.labelled_persons()] == [
        (is_first, second) for second in (2, 3, 4, 6, 7) for is_first in (True, False)
    ]


def test_keyframes_near_a_change_are_excluded_and_few(scenes: list[Scene]) -> None:
    num_keyframes = num_excluded = 0
    for scene in scenes:
        excluded = scene.excluded_s()
        changes = [change for actor in scene.actors for change in actor.changes_s()]
        kept = set(scene.keyframes_s) - set(excluded)
        assert all(abs(second - change) >= 0.499 for second in kept for change in changes)
        num_keyframes, num_excluded = num_keyframes + len(scene.keyframes_s), num_excluded + len(excluded)
    assert 0.005 < num_excluded / num_keyframes < 0.06


def test_keyframes_have_a_clip_around_them(scenes: list[Scene]) -> None:
    assert all(scene.keyframes_s[0] == 2 and scene.keyframes_s[-1] + 1.5 <= scene.duration_s for scene in scenes)


def test_walking_persons_stay_in_their_range_and_turn(scenes: list[Scene]) -> None:
    for _, actor, segment in segments_of(scenes)[:400]:
        low, high = actor.x_range
        path = [segment.x_at(segment.start_s + step / 10, actor.x_range, 0.3) for step in range(60)]
        assert path[0] == pytest.approx(segment.x_start) and all(low - 1e-9 <= x <= high + 1e-9 for x in path)
        if segment.pose == "walk":
            assert max(abs(after - before) for before, after in pairwise(path)) <= 0.03 + 1e-9 and len(set(path)) > 5
        else:
            assert set(path) == {segment.x_start}
