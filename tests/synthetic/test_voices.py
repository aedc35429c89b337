import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.synthetic.music import play_music
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.rng import Dice
from avdet.synthetic.voices import VOICES, AudioState, Timbre, draw_timbre

RATE = 16000
TIMBRE = Timbre(voice_hz=120.0, clap_hz=1500.0, drum_hz=140.0, rate=RATE, seed=0)


def sound(look: str, length_s: float = 0.2) -> AudioState:
    return VOICES[look](Beat(0.0, length_s, 0.8), TIMBRE, np.random.default_rng(0))


def spectrum(samples: AudioState) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(frequencies in Hz, share of the power up to each of them)."""
    power = np.asarray(np.abs(np.fft.rfft(samples)) ** 2, np.float64)
    return np.arange(power.size) * RATE / samples.size, np.cumsum(power) / power.sum()


def half_power_hz(samples: AudioState) -> float:
    hz, share = spectrum(samples)
    return float(hz[np.searchsorted(share, 0.5)])


@pytest.mark.parametrize("look", ["clap", "drum", "mouth"])
def test_a_sound_peaks_at_its_beats_strength(look: str) -> None:
    assert 0.75 < np.abs(sound(look)).max() < 1.0 and sound(look).dtype == np.float32


def test_claps_are_broad_drums_low_and_vowels_between() -> None:
    assert half_power_hz(sound("drum")) < 220 < half_power_hz(sound("mouth")) < 1100 < half_power_hz(sound("clap"))
    hz, share = spectrum(sound("clap"))
    assert share[np.searchsorted(hz, 4000)] < 0.95  # something is left above


def test_claps_and_drums_start_at_once_and_die_away() -> None:
    for look in ("clap", "drum"):
        samples = np.abs(sound(look))
        assert samples[: RATE // 50].max() > 0.6 and samples[-RATE // 100 :].max() < 0.1


def test_a_syllable_is_voiced_at_the_persons_pitch() -> None:
    samples = sound("mouth", 0.3).astype(np.float64)
    likeness = np.correlate(samples, samples, "full")[samples.size - 1 :]
    lags = slice(RATE // 180, RATE // 80)
    assert RATE / (lags.start + int(np.argmax(likeness[lags]))) == pytest.approx(120.0, rel=0.2)


def test_people_differ() -> None:
    drawn = [draw_timbre(Dice("person", index), RATE) for index in range(50)]
    assert len({round(one.voice_hz) for one in drawn}) > 30
    assert all(90 < one.voice_hz < 260 for one in drawn)


def test_music_has_tones_and_fades() -> None:
    music = play_music(4.0, Dice("music"), RATE)
    assert music.size == 4 * RATE and np.abs(music[:50]).max() < 0.05 < np.abs(music).max() < 3.0
    hz, share = spectrum(music[RATE : 2 * RATE])
    power = np.diff(share, prepend=0.0)
    assert np.sort(power)[-40:].sum() > 0.8  # 40 of 8001 frequencies hold most of the power
    assert hz[np.argmax(power)] > 150
