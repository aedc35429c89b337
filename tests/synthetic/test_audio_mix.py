from dataclasses import replace

import numpy as np
import pytest

from avdet.synthetic.audio_mix import mix_audio
from avdet.synthetic.audio_sources import Waveform
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import Interval, OffScreenAudio, Scene
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.tiny import person

SETTINGS = SampleSettings(sample_rate=16000)
RATE = 16000


def scene(**changes: object) -> Scene:
    """A scene of nine seconds without audio sources, with one person who idles, and the given changes."""
    return replace(Scene("plain", "train", 0, 9.0, (person("idle"),), (), ()), **changes)  # type: ignore[arg-type]


def rms(audio: Waveform, start_s: float, end_s: float) -> float:
    return float(np.sqrt(np.mean(audio[round(start_s * RATE) : round(end_s * RATE)].astype(np.float64) ** 2)))


def onset_ratio(audio: Waveform, time_s: float) -> float:
    """The level of the 100 ms after a time relative to the 60 ms before it."""
    return rms(audio, time_s, time_s + 0.1) / rms(audio, time_s - 0.06, time_s)


def tonality(audio: Waveform) -> float:
    """The fraction of the power in the 40 strongest frequencies of one second."""
    power = np.sort(np.abs(np.fft.rfft(audio)) ** 2)
    return float(power[-40:].sum() / power.sum())


@pytest.mark.parametrize("gesture", ["clap", "drum", "mouth"])
def test_only_an_audible_gesture_has_onsets_on_its_beats(gesture: str) -> None:
    """The beats of `person` are at 2.0 and 2.5 s."""
    audible = mix_audio(scene(actors=(person(gesture, audible=True),)), SETTINGS)
    silent = mix_audio(scene(actors=(person(gesture, audible=False),)), SETTINGS)
    assert all(onset_ratio(audible, time_s) > 3.0 for time_s in (2.0, 2.5))
    assert all(onset_ratio(silent, time_s) < 1.5 for time_s in (2.0, 2.5))


def test_off_screen_audio_and_music_occur_at_their_times() -> None:
    clapping = OffScreenAudio(4.0, 5.0, "clap", (Beat(4.5, 0.2, 1.0),))
    assert onset_ratio(mix_audio(scene(off_screen=(clapping,)), SETTINGS), 4.5) > 3.0
    audio = mix_audio(scene(music=(Interval(3.0, 6.0),)), SETTINGS)
    assert tonality(audio[4 * RATE : 5 * RATE]) > 0.8
    assert tonality(audio[7 * RATE : 8 * RATE]) < 0.6


def test_the_mix_is_complete_reproducible_and_not_clipped() -> None:
    val_scene = write_scenes(SETTINGS, "val", 0)[0]
    audio = mix_audio(val_scene, SETTINGS)
    assert audio.shape == (round(val_scene.duration_s * RATE),) and audio.dtype == np.float32
    assert np.array_equal(audio, mix_audio(val_scene, SETTINGS)) and np.abs(audio).max() < 1.0


def test_the_automatic_gain_makes_clapping_and_silence_equally_loud() -> None:
    beats = tuple(Beat(1.0 + 0.5 * index, 0.2, 1.0) for index in range(10))
    actor = person("clap", audible=True)
    actor = replace(actor, segments=(replace(actor.segments[0], beats=beats), actor.segments[1]))
    clapping = rms(mix_audio(scene(actors=(actor,)), SETTINGS), 2.0, 4.1)
    silence = rms(mix_audio(scene(), SETTINGS), 2.0, 4.1)
    assert 0.8 < clapping / silence < 1.25
