from itertools import pairwise

import pytest
from scipy.stats import chi2_contingency

from avdet.synthetic.classes import TWIN_LOOKS
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import walked_x, write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.tiny import acts_of

MANY = SampleSettings(num_train=300)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return write_scenes(MANY, "train", 0)


def test_a_seed_tells_one_story() -> None:
    settings = SampleSettings()
    first = write_scenes(settings, "val", 3)
    assert first == write_scenes(settings, "val", 3)
    assert first != write_scenes(settings, "val", 4)
    assert len(first) == settings.num_val
    assert {scene.name for scene in first}.isdisjoint(scene.name for scene in write_scenes(settings, "train", 3))


def test_acts_fill_each_scene_without_gaps(scenes: list[Scene]) -> None:
    for scene in scenes:
        for actor in scene.actors:
            assert actor.acts[0].start_s == 0.0 and actor.acts[-1].end_s == scene.duration_s
            assert all(before.end_s == after.start_s for before, after in pairwise(actor.acts))


def test_keyframes_near_a_change_are_excluded_and_few(scenes: list[Scene]) -> None:
    counted = excluded = 0
    for scene in scenes:
        out = scene.excluded_s()
        changes = [change for actor in scene.actors for change in actor.changes_s()]
        kept = set(scene.keyframes_s) - set(out)
        assert all(abs(second - change) >= 0.499 for second in kept for change in changes)
        counted, excluded = counted + len(scene.keyframes_s), excluded + len(out)
    assert 0.005 < excluded / counted < 0.06


def test_keyframes_have_a_clip_around_them(scenes: list[Scene]) -> None:
    assert all(scene.keyframes_s[0] == 2 and scene.keyframes_s[-1] + 1.5 <= scene.duration_s for scene in scenes)


def test_only_looks_with_a_sound_are_heard_and_half_of_them_are(scenes: list[Scene]) -> None:
    acts = [act for _, _, act in acts_of(scenes)]
    assert not any(act.heard for act in acts if act.look not in TWIN_LOOKS)
    for look in TWIN_LOOKS:
        heard = [act.heard for act in acts if act.look == look]
        assert len(heard) > 200 and 0.45 < sum(heard) / len(heard) < 0.55


@pytest.mark.parametrize("trait", ["pose", "hand", "snack", "facing", "look", "people", "place", "order", "music"])
def test_nothing_visible_tells_whether_an_act_is_heard(scenes: list[Scene], trait: str) -> None:
    counts: dict[object, list[int]] = {}
    for scene, actor, act in acts_of(scenes):
        if act.look in TWIN_LOOKS:
            around = {
                "people": len(scene.actors), "place": actor.x_range[0] > 0.3, "order": actor.acts.index(act),
                "music": scene.music_at((act.start_s + act.end_s) / 2),
            }  # fmt: skip
            value = around[trait] if trait in around else getattr(act, trait)
            counts.setdefault(value, [0, 0])[act.heard] += 1
    assert chi2_contingency(list(counts.values())).pvalue > 0.01


def test_neighbours_often_look_the_same_while_one_of_them_is_heard(scenes: list[Scene]) -> None:
    alike = one = 0
    for scene in scenes:
        for second in scene.keyframes_s:
            acts = [actor.act_at(second) for actor in scene.actors]
            for look in TWIN_LOOKS:
                heard = [act.heard for act in acts if act.look == look]
                alike, one = alike + (len(heard) > 1), one + (len(heard) > 1 and 0 < sum(heard) < len(heard))
    assert alike > 1000 and one / alike > 0.6


def test_walkers_stay_in_their_range_and_turn(scenes: list[Scene]) -> None:
    for _, actor, act in acts_of(scenes)[:400]:
        low, high = actor.x_range
        path = [walked_x(act, act.start_s + step / 10, actor.x_range, 0.3) for step in range(60)]
        assert path[0] == pytest.approx(act.x_start) and all(low - 1e-9 <= x <= high + 1e-9 for x in path)
        if act.pose == "walk":
            assert max(abs(after - before) for before, after in pairwise(path)) <= 0.03 + 1e-9 and len(set(path)) > 5
        else:
            assert set(path) == {act.x_start}


def test_people_are_large_enough_to_be_seen_and_fit_the_frame(scenes: list[Scene]) -> None:
    heights = [actor.height for scene in scenes for actor in scene.actors]
    assert min(heights) >= 0.5 and max(heights) <= 0.85
    assert all(actor.feet_y <= 1.0 for scene in scenes for actor in scene.actors)
