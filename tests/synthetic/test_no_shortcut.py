"""Nothing but what sounds in time with a person tells an action from its silent twin."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avdet.synthetic.classes import TWIN_LOOKS
from avdet.synthetic.make_sample import make_sample
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.soundtrack import soundtrack
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.nuisance import FEATURES, Acts, Array, auc, chance_range, collect, held_out_auc

MANY = SampleSettings(num_train=90, sample_rate=16000)


@pytest.fixture(scope="module")
def acts() -> Acts:
    return collect(write_scenes(MANY, "train", 0), MANY, lambda scene: soundtrack(scene, MANY).astype(np.float64))


def test_the_measure_finds_a_shortcut_where_there_is_one(acts: Acts) -> None:
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75  # by hand: 3 of 4 pairs
    leak = acts.heard + np.random.default_rng(0).normal(0.0, 1.5, len(acts.heard))
    leaky = replace(acts, features=np.c_[acts.features, leak])
    assert held_out_auc(leaky.features, leaky.heard, leaky.videos) > chance_range(leaky)[1]


def test_file_length_loudness_background_people_and_place_tell_nothing(acts: Acts) -> None:
    low, high = chance_range(acts)
    assert high - low < 0.3 and low < held_out_auc(acts.features, acts.heard, acts.videos) < high


@pytest.mark.parametrize("look", TWIN_LOOKS)
def test_nor_within_one_look(acts: Acts, look: str) -> None:
    one = acts.of_look(look)
    low, high = chance_range(one)
    assert len(one.heard) > 80 and low < held_out_auc(one.features, one.heard, one.videos) < high


def test_loudness_alone_tells_nothing(acts: Acts) -> None:
    loudness = acts.features[:, FEATURES.index("loudness")]
    count, heard = len(acts.heard), acts.heard.sum()
    spread = np.sqrt((count + 1) / (12 * heard * (count - heard)))  # of the rank sum without any difference
    assert abs(auc(loudness, acts.heard) - 0.5) < 2.58 * spread


@pytest.mark.slow
def test_nor_does_anything_of_the_real_sets_files(tmp_path: Path) -> None:
    """File and stream sizes and the loudness after the codec too, for all videos of the default set."""
    settings = SampleSettings()
    folder = make_sample(tmp_path, workers=2) / "videos"

    def heard_in_file(scene: Scene) -> Array:
        with av.open(str(folder / f"{scene.name}.mp4")) as container:
            return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)

    def sizes(scene: Scene) -> list[float]:
        path = folder / f"{scene.name}.mp4"
        with av.open(str(path)) as container:
            sound = float(container.streams.audio[0].bit_rate or 0)
        return [path.stat().st_size, path.stat().st_size / scene.duration_s, sound]

    scenes = [scene for split in ("train", "val") for scene in write_scenes(settings, split, 0)]
    acts = collect(scenes, settings, heard_in_file, sizes)
    low, high = chance_range(acts)
    assert low < held_out_auc(acts.features, acts.heard, acts.videos) < high
