import numpy as np
import pytest

from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import OffScreen, Scene
from avdet.synthetic.synthetic_settings import SampleSettings
from avdet.synthetic.upper_bound import (
    OBSERVERS,
    by_eye,
    by_eye_and_what_sounds,
    by_eye_and_who_sounds,
    oracle_scores,
    sounding_looks,
)
from tests.synthetic.test_motion import person

SOUND = ("hand clap", "talk to (e.g., self, a person, a group)", "play musical instrument", "listen (e.g., to music)")


@pytest.fixture(scope="module")
def aps() -> dict[str, dict[str, float]]:
    results = {name: oracle_scores(facts) for name, facts in OBSERVERS.items()}
    return {name: {key: value or 0.0 for key, value in result.ap.items()} for name, result in results.items()}


def test_who_hears_who_sounds_makes_no_mistake(aps: dict[str, dict[str, float]]) -> None:
    assert set(aps["eye, and who sounds"].values()) == {1.0}


def test_without_ears_sound_classes_are_half_lost_and_the_others_are_not(aps: dict[str, dict[str, float]]) -> None:
    eye = aps["eye"]
    assert all(eye[name] == 1.0 for name in ("stand", "sit", "walk", "hand wave"))
    assert 0.35 < np.mean([eye[name] for name in SOUND]) < 0.55 and 0.4 < eye["eat"] < 0.6


def test_knowing_what_sounds_helps_much_but_not_all_the_way(aps: dict[str, dict[str, float]]) -> None:
    eye, ear = (np.mean([aps[who][name] for name in SOUND]) for who in ("eye", "eye, and what sounds"))
    assert eye + 0.25 < ear < 0.9


def test_on_many_scenes_the_eye_is_at_the_coins_half() -> None:
    ap = oracle_scores(by_eye, settings=SampleSettings(num_train=300, num_val=300)).ap
    for name in ("hand clap", "talk to (e.g., self, a person, a group)", "play musical instrument", "eat"):
        assert ap[name] == pytest.approx(0.5, abs=0.04)


def test_facts_grow_from_eye_to_ear() -> None:
    clap = OffScreen(1.5, 3.0, "drum", (Beat(2.2, 0.2, 1.0),))
    scene = Scene("two", "val", 0, 9.0, (person("clap", heard=True), person("clap")), (), (clap,))
    heard, mimed = scene.actors
    assert by_eye(scene, heard, 2.0) == by_eye(scene, mimed, 2.0)
    assert by_eye_and_what_sounds(scene, heard, 2.0) == by_eye_and_what_sounds(scene, mimed, 2.0)
    assert by_eye_and_who_sounds(scene, heard, 2.0) != by_eye_and_who_sounds(scene, mimed, 2.0)
    assert sounding_looks(scene, 2.0) == {"clap", "drum"} and sounding_looks(scene, 4.0) == set()
