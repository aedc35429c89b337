import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.synthetic.audio_sources import BEAT_SOURCES, Timbre, Waveform, add_at, music, random_timbre
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.rng import Rng

RATE = 16000
TIMBRE = Timbre(voice_hz=120.0, clap_hz=1500.0, drum_hz=140.0, sample_rate=RATE, seed=0)


def source(gesture: str, length_s: float = 0.2) -> Waveform:
    return BEAT_SOURCES[gesture](Beat(0.0, length_s, 0.8), TIMBRE, np.random.default_rng(0))


def spectrum(waveform: Waveform) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(frequencies in Hz, cumulative fraction of the power)."""
    power = np.asarray(np.abs(np.fft.rfft(waveform)) ** 2, np.float64)
    return np.arange(power.size) * RATE / waveform.size, np.cumsum(power) / power.sum()


def median_hz(waveform: Waveform) -> float:
    hz, fraction = spectrum(waveform)
    return float(hz[np.searchsorted(fraction, 0.5)])


def test_a_waveform_is_added_up_to_the_end_of_the_mix() -> None:
    mix = np.zeros(4, np.float32)
    add_at(mix, 2, np.array([1.0, 2.0, 3.0], np.float32))
    add_at(mix, 5, np.ones(2, np.float32))
    assert mix.tolist() == [0.0, 0.0, 1.0, 2.0]


@pytest.mark.parametrize("gesture", ["clap", "drum", "mouth"])
def test_the_peak_is_the_strength_of_the_beat(gesture: str) -> None:
    assert 0.75 < np.abs(source(gesture)).max() < 1.0 and source(gesture).dtype == np.float32


def test_claps_are_broadband_drums_low_and_vowels_between() -> None:
    assert median_hz(source("drum")) < 220 < median_hz(source("mouth")) < 1100 < median_hz(source("clap"))
    hz, fraction = spectrum(source("clap"))
    assert fraction[np.searchsorted(hz, 4000)] < 0.95  # 5 % of the power lie above 4 kHz


def test_claps_and_drum_hits_start_at_once_and_decay() -> None:
    for gesture in ("clap", "drum"):
        samples = np.abs(source(gesture))
        assert samples[: RATE // 50].max() > 0.6 and samples[-RATE // 100 :].max() < 0.1


def test_a_syllable_has_the_pitch_of_the_person() -> None:
    samples = source("mouth", 0.3).astype(np.float64)
    autocorrelation = np.correlate(samples, samples, "full")[samples.size - 1 :]
    lags = slice(RATE // 180, RATE // 80)
    assert RATE / (lags.start + int(np.argmax(autocorrelation[lags]))) == pytest.approx(120.0, rel=0.2)


def test_persons_have_different_timbres() -> None:
    timbres = [random_timbre(Rng("person", index), RATE) for index in range(50)]
    assert len({round(one.voice_hz) for one in timbres}) > 30
    assert all(90 < one.voice_hz < 260 for one in timbres)


def test_music_is_tonal_and_faded() -> None:
    piece = music(4.0, Rng("music"), RATE)
    assert piece.size == 4 * RATE and np.abs(piece[:50]).max() < 0.05 < np.abs(piece).max() < 3.0
    hz, fraction = spectrum(piece[RATE : 2 * RATE])
    power = np.diff(fraction, prepend=0.0)
    assert np.sort(power)[-40:].sum() > 0.8  # 40 of 8001 frequencies have most of the power
    assert hz[np.argmax(power)] > 150
