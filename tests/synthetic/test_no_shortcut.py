"""Only audio in synchrony with a person distinguishes an audible gesture from the silent one."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from avdet.synthetic.audio_mix import mix_audio
from avdet.synthetic.classes import AUDIO_DEPENDENT_GESTURES
from avdet.synthetic.make_sample import make_sample
from avdet.synthetic.scene import Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.nuisance import FEATURES, Array, Segments, auc, chance_range, collect, held_out_auc

MANY = SampleSettings(num_train=90, sample_rate=8000)


@pytest.fixture(scope="module")
def segments() -> Segments:
    return collect(write_scenes(MANY, "train", 0), MANY, lambda scene: mix_audio(scene, MANY).astype(np.float64))


def test_the_measure_finds_a_shortcut(segments: Segments) -> None:
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75  # by hand: 3 of 4 pairs
    leak = segments.audible + np.random.default_rng(0).normal(0.0, 1.5, len(segments.audible))
    leaky = replace(segments, features=np.c_[segments.features, leak])
    assert held_out_auc(leaky.features, leaky.audible, leaky.videos) > chance_range(leaky)[1]


def test_duration_loudness_background_and_positions_are_no_shortcut(segments: Segments) -> None:
    low, high = chance_range(segments)
    assert high - low < 0.3 and low < held_out_auc(segments.features, segments.audible, segments.videos) < high


@pytest.mark.parametrize("gesture", AUDIO_DEPENDENT_GESTURES)
def test_no_shortcut_within_one_gesture(segments: Segments, gesture: str) -> None:
    one = segments.of_gesture(gesture)
    low, high = chance_range(one)
    assert len(one.audible) > 80 and low < held_out_auc(one.features, one.audible, one.videos) < high


def test_loudness_is_no_shortcut(segments: Segments) -> None:
    loudness = segments.features[:, FEATURES.index("loudness")]
    count, audible = len(segments.audible), segments.audible.sum()
    spread = np.sqrt((count + 1) / (12 * audible * (count - audible)))  # of the rank sum under the null hypothesis
    assert abs(auc(loudness, segments.audible) - 0.5) < 2.58 * spread


@pytest.mark.slow
def test_the_files_of_the_default_set_have_no_shortcut(tmp_path: Path) -> None:
    """Adds file and stream sizes, and measures the loudness after the codec."""
    settings = SampleSettings()
    folder = make_sample(tmp_path, workers=2) / "videos"

    def decoded_audio(scene: Scene) -> Array:
        with av.open(str(folder / f"{scene.name}.mp4")) as container:
            return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)

    def sizes(scene: Scene) -> list[float]:
        path = folder / f"{scene.name}.mp4"
        with av.open(str(path)) as container:
            audio_bit_rate = float(container.streams.audio[0].bit_rate or 0)
        return [path.stat().st_size, path.stat().st_size / scene.duration_s, audio_bit_rate]

    scenes = [scene for split in ("train", "val") for scene in write_scenes(settings, split, 0)]
    segments = collect(scenes, settings, decoded_audio, sizes)
    low, high = chance_range(segments)
    assert low < held_out_auc(segments.features, segments.audible, segments.videos) < high
