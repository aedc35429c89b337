from dataclasses import replace

import numpy as np
import pytest

from avdet.synthetic.rhythm import Beat
from avdet.synthetic.scene import OffScreen, Scene, Span
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.soundtrack import soundtrack
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.test_motion import person

SETTINGS = SampleSettings(sample_rate=16000)
RATE = 16000


def scene(**changes: object) -> Scene:
    """One person who idles for nine seconds, and silence, but for the changes."""
    plain = Scene("plain", "train", 0, 9.0, (person("idle"),), (), ())
    return replace(plain, **changes)  # type: ignore[arg-type]


def level(sound: np.ndarray[tuple[int], np.dtype[np.float32]], start_s: float, end_s: float) -> float:
    return float(np.sqrt(np.mean(sound[round(start_s * RATE) : round(end_s * RATE)].astype(np.float64) ** 2)))


def rises(sound: np.ndarray[tuple[int], np.dtype[np.float32]], time_s: float) -> float:
    """How much louder the 100 ms from a time on are than the 60 ms before it."""
    return level(sound, time_s, time_s + 0.1) / level(sound, time_s - 0.06, time_s)


def tonal(sound: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    """The share of the power in the 40 strongest frequencies of one second."""
    power = np.sort(np.abs(np.fft.rfft(sound)) ** 2)
    return float(power[-40:].sum() / power.sum())


@pytest.mark.parametrize("look", ["clap", "drum", "mouth"])
def test_what_is_heard_sounds_on_its_beats_and_its_twin_does_not(look: str) -> None:
    """The beats of `person` are at 2.0 and 2.5 s."""
    heard = soundtrack(scene(actors=(person(look, heard=True),)), SETTINGS)
    mimed = soundtrack(scene(actors=(person(look, heard=False),)), SETTINGS)
    assert all(rises(heard, time_s) > 3.0 for time_s in (2.0, 2.5))
    assert all(rises(mimed, time_s) < 1.5 for time_s in (2.0, 2.5))


def test_off_screen_sound_and_music_are_heard_in_their_time() -> None:
    clapping = OffScreen(4.0, 5.0, "clap", (Beat(4.5, 0.2, 1.0),))
    assert rises(soundtrack(scene(off_screen=(clapping,)), SETTINGS), 4.5) > 3.0
    music = soundtrack(scene(music=(Span(3.0, 6.0),)), SETTINGS)
    assert tonal(music[4 * RATE : 5 * RATE]) > 0.8
    assert tonal(music[7 * RATE : 8 * RATE]) < 0.6


def test_a_soundtrack_is_whole_repeatable_and_not_clipped() -> None:
    story = write_scenes(SETTINGS, "val", 0)[0]
    sound = soundtrack(story, SETTINGS)
    assert sound.shape == (round(story.duration_s * RATE),) and sound.dtype == np.float32
    assert np.array_equal(sound, soundtrack(story, SETTINGS)) and np.abs(sound).max() < 1.0


def test_the_cameras_gain_makes_clapping_and_silence_equally_loud() -> None:
    clapping = tuple(Beat(1.0 + 0.5 * index, 0.2, 1.0) for index in range(10))
    actor = person("clap", heard=True)
    actor = replace(actor, acts=(replace(actor.acts[0], beats=clapping), actor.acts[1]))
    heard = level(soundtrack(scene(actors=(actor,)), SETTINGS), 2.0, 4.1)
    silent = level(soundtrack(scene(), SETTINGS), 2.0, 4.1)
    assert 0.8 < heard / silent < 1.25
