from itertools import pairwise

import pytest
from scipy.stats import chi2_contingency

from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES, Gesture
from avdet.synthetic.make_clip_sample import plan_videos
from avdet.synthetic.scene import Interval, Scene
from avdet.synthetic.scene_script import class_imbalance, write_scenes
from avdet.synthetic.synthetic_settings import UNLABELLED, SampleSettings
from tests.synthetic.tiny import person, segments_of

MANY = SampleSettings(num_train=300)
BACKGROUNDS: dict[Gesture, str | None] = {
    "mouth": "room", "clap": "park", "drum": "stage", "idle": "street", "wave": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return write_scenes(MANY, "train", 0)


def test_equal_seeds_give_equal_scenes() -> None:
    settings = SampleSettings()
    first = write_scenes(settings, "val", 3)
    assert first == write_scenes(settings, "val", 3)
    assert first != write_scenes(settings, "val", 4)
    assert len(first) == settings.num_val
    assert {scene.name for scene in first}.isdisjoint(scene.name for scene in write_scenes(settings, "train", 3))


def test_segments_fill_each_scene_without_gaps(scenes: list[Scene]) -> None:
    for scene in scenes:
        for actor in scene.actors:
            assert actor.segments[0].start_s == 0.0 and actor.segments[-1].end_s == scene.duration_s
            assert all(before.end_s == after.start_s for before, after in pairwise(actor.segments))


def test_half_of_the_audio_dependent_gestures_and_no_others_are_audible(scenes: list[Scene]) -> None:
    segments = [segment for _, _, segment in segments_of(scenes)]
    assert not any(segment.audible for segment in segments if segment.gesture not in AUDIO_DEPENDENT_GESTURES)
    for gesture in AUDIO_DEPENDENT_GESTURES:
        audible = [segment.audible for segment in segments if segment.gesture == gesture]
        assert len(audible) > 200 and 0.45 < sum(audible) / len(audible) < 0.55


@pytest.mark.parametrize(
    "trait", ["pose", "hand", "snack", "facing", "gesture", "num_persons", "position", "order", "music"]
)
def test_no_visible_trait_predicts_whether_a_gesture_is_audible(scenes: list[Scene], trait: str) -> None:
    counts: dict[object, list[int]] = {}
    for scene, actor, segment in segments_of(scenes):
        if segment.gesture in AUDIO_DEPENDENT_GESTURES:
            of_scene = {
                "num_persons": len(scene.actors),
                "position": actor.x_range[0] > 0.3,
                "order": actor.segments.index(segment),
                "music": scene.music_at((segment.start_s + segment.end_s) / 2),
            }
            value = of_scene[trait] if trait in of_scene else getattr(segment, trait)
            counts.setdefault(value, [0, 0])[segment.audible] += 1
    assert chi2_contingency(list(counts.values())).pvalue > 0.01


def test_persons_often_make_the_same_gesture_while_one_of_them_is_audible(scenes: list[Scene]) -> None:
    same = one_audible = 0
    for scene in scenes:
        for second in scene.keyframes_s:
            segments = [actor.segment_at(second) for actor in scene.actors]
            for gesture in AUDIO_DEPENDENT_GESTURES:
                audible = [segment.audible for segment in segments if segment.gesture == gesture]
                same += len(audible) > 1
                one_audible += len(audible) > 1 and 0 < sum(audible) < len(audible)
    assert same > 1000 and one_audible / same > 0.6


def test_persons_are_large_and_fit_the_frame(scenes: list[Scene]) -> None:
    heights = [actor.height for scene in scenes for actor in scene.actors]
    assert min(heights) >= 0.5 and max(heights) <= 0.85
    assert all(actor.feet_y <= 1.0 for scene in scenes for actor in scene.actors)


def test_class_imbalance_is_the_largest_difference_from_a_target() -> None:
    """All ten persons stand where a third should; half of the claps are audible, as they should be."""
    scene = Scene("two", "val", 0, 9.0, (person("clap", audible=True), person("clap")), (Interval(0.0, 3.5),), ())
    assert class_imbalance([scene]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_small_split_is_drawn_again_until_it_is_balanced(seed: int) -> None:
    for split in ("train", "val"):
        assert class_imbalance(write_scenes(SampleSettings(), split, seed)) < 0.05


def test_natural_scenes_correlate_gesture_audio_and_background() -> None:
    videos = plan_videos(UNLABELLED.scenes, 0, natural=True)
    assert len(videos) == 1040 and len({video.name for video in videos}) == 1040
    for video in videos:
        (actor,) = video.scene.actors
        (segment,) = actor.segments
        assert segment.audible == (segment.gesture in AUDIO_DEPENDENT_GESTURES)
        assert video.scene.background == BACKGROUNDS[segment.gesture] and not video.scene.off_screen
        assert video.scene.music_at(2.0) == (segment.gesture == "idle")
    gestures = [video.segments[0].gesture for video in videos if video.split == "train"]
    assert {gesture: gestures.count(gesture) for gesture in BACKGROUNDS} == dict.fromkeys(BACKGROUNDS, 192)
