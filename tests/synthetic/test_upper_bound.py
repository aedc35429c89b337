import numpy as np
import pytest

from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import OffScreenAudio, Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from avdet.synthetic.upper_bound import (
    audible_gestures,
    upper_bound,
    upper_bounds,
    video_and_audio_kinds,
    video_and_audio_sources,
    video_only,
)
from tests.synthetic.tiny import person

AUDIO_DEPENDENT = (
    "hand clap", "talk to (e.g., self, a person, a group)", "play musical instrument", "listen (e.g., to music)",
)  # fmt: skip


@pytest.fixture(scope="module")
def aps() -> dict[str, dict[str, float]]:
    return {name: {key: value or 0.0 for key, value in result.ap.items()} for name, result in upper_bounds().items()}


def test_video_and_audio_sources_suffice_for_every_action(aps: dict[str, dict[str, float]]) -> None:
    assert set(aps["video + who makes them"].values()) == {1.0}


def test_video_alone_loses_half_of_the_audio_dependent_classes_only(aps: dict[str, dict[str, float]]) -> None:
    ap = aps["video only"]
    assert all(ap[name] == 1.0 for name in ("stand", "sit", "walk", "hand wave"))
    assert 0.35 < np.mean([ap[name] for name in AUDIO_DEPENDENT]) < 0.55 and 0.4 < ap["eat"] < 0.6


def test_the_kinds_of_audio_help_but_do_not_suffice(aps: dict[str, dict[str, float]]) -> None:
    columns = ("video only", "video + which sounds occur")
    without, with_kinds = (np.mean([aps[column][name] for name in AUDIO_DEPENDENT]) for column in columns)
    assert without + 0.25 < with_kinds < 0.9


def test_the_video_only_bound_of_many_scenes_is_one_half() -> None:
    settings = SampleSettings(num_train=300, num_val=300)
    train, val = (write_scenes(settings, split, 0) for split in ("train", "val"))
    ap = upper_bound(video_only, train, val, settings).ap
    for name in ("hand clap", "talk to (e.g., self, a person, a group)", "play musical instrument", "eat"):
        assert ap[name] == pytest.approx(0.5, abs=0.04)


def test_only_audio_sources_distinguish_two_persons_with_one_gesture() -> None:
    drumming = OffScreenAudio(1.5, 3.0, "drum", (Beat(2.2, 0.2, 1.0),))
    scene = Scene("two", "val", 0, 9.0, (person("clap", audible=True), person("clap")), (), (drumming,))
    audible, silent = scene.actors
    assert video_only(scene, audible, 2.0) == video_only(scene, silent, 2.0)
    assert video_and_audio_kinds(scene, audible, 2.0) == video_and_audio_kinds(scene, silent, 2.0)
    assert video_and_audio_sources(scene, audible, 2.0) != video_and_audio_sources(scene, silent, 2.0)
    assert audible_gestures(scene, 2.0) == {"clap", "drum"} and audible_gestures(scene, 4.0) == set()
