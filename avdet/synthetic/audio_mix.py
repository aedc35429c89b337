"""Mixes the audio of a scene: persons, off-screen audio, music, reverberation, noise and automatic gain.

The automatic gain makes the loudness of any two seconds nearly equal. Loudness therefore predicts no action; only
what stands out from the noise does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve, lfilter

from avdet.synthetic.audio_sources import BEAT_SOURCES, Timbre, Waveform, add_at, music, random_timbre
from avdet.synthetic.classes import Gesture
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.rng import Rng
from avdet.synthetic.scene import Scene
from avdet.synthetic.synthetic_settings import SampleSettings

LEVELS = {"clap": 0.9, "drum": 0.9, "mouth": 0.75}
GAIN_S = 0.6  # standard deviation of the Gaussian that smooths the automatic gain
TARGET_RMS = 0.05


def mix_audio(scene: Scene, settings: SampleSettings) -> Waveform:
    """Returns the audio of the whole scene, mono within [-1, 1]."""
    rate = settings.sample_rate
    rng = Rng("sound", scene.name, scene.seed)
    noise = np.random.default_rng(rng.integer(0, 2**31))
    mix = np.zeros(round(scene.duration_s * rate), np.float32)
    for actor in scene.actors:
        timbre = random_timbre(rng, rate)
        for segment in actor.segments:
            if segment.audible:
                _add_beats(mix, segment.gesture, segment.beats, timbre, noise)
    for source in scene.off_screen:
        _add_beats(mix, source.gesture, source.beats, random_timbre(rng, rate), noise)
    for interval in scene.music:
        add_at(mix, round(interval.start_s * rate), 0.3 * music(interval.end_s - interval.start_s, rng, rate))
    mix = _with_reverberation(mix, rng, noise, rate)
    _add_noise(mix, settings, rng, noise)
    return _with_automatic_gain(mix, rng, rate)


def _add_beats(
    mix: Waveform, gesture: Gesture, beats: Sequence[Beat], timbre: Timbre, noise: np.random.Generator
) -> None:
    for beat in beats:
        waveform = LEVELS[gesture] * BEAT_SOURCES[gesture](beat, timbre, noise)
        add_at(mix, round(beat.time_s * timbre.sample_rate), waveform)


def _with_reverberation(mix: Waveform, rng: Rng, noise: np.random.Generator, rate: int) -> Waveform:
    """Adds a short, faint echo."""
    seconds = np.arange(round(0.15 * rate)) / rate
    echo = noise.standard_normal(seconds.size) * np.exp(-seconds / rng.uniform(0.02, 0.05))
    echo *= rng.uniform(0.1, 0.3) / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    return np.asarray(fftconvolve(mix, echo)[: mix.size], np.float32)


def _add_noise(mix: Waveform, settings: SampleSettings, rng: Rng, noise: np.random.Generator) -> None:
    """Adds stationary noise, and chirps, beeps and gusts at times that are independent of the actions."""
    rate = settings.sample_rate
    pole = rng.uniform(0.6, 0.97)
    floor = lfilter([1.0], [1.0, -pole], noise.standard_normal(mix.size))
    level = 10 ** (rng.uniform(*settings.noise_db) / 20)
    mix += (level / np.std(floor) * floor).astype(np.float32)
    time_s = rng.uniform(0.0, 3.0)
    while time_s < mix.size / rate - 1.0:
        add_at(mix, round(time_s * rate), rng.uniform(0.08, 0.25) * _distractor(rng, noise, rate))
        time_s += rng.uniform(1.0, 5.0)


def _distractor(rng: Rng, noise: np.random.Generator, rate: int) -> Waveform:
    kind, seconds = rng.choice(("chirp", "beep", "gust")), np.arange(round(rng.uniform(0.3, 0.8) * rate)) / rate
    envelope = np.sin(np.pi * seconds / seconds[-1])
    if kind == "gust":
        waveform: NDArray[np.float64] = lfilter([0.1], [1.0, -0.9], noise.standard_normal(seconds.size))
    elif kind == "beep":
        waveform = np.sin(2 * np.pi * rng.uniform(900, 1500) * seconds)
    else:
        waveform = np.sin(2 * np.pi * rng.uniform(3000, 4500) * seconds + 20 * np.sin(2 * np.pi * 9 * seconds))
    return (waveform * envelope).astype(np.float32)


def _with_automatic_gain(mix: Waveform, rng: Rng, rate: int) -> Waveform:
    """Equalises the power over about two seconds, then adds a random drift and soft clipping."""
    step = rate // 50
    blocks = np.arange(0, mix.size, step)
    power = np.add.reduceat(mix.astype(np.float64) ** 2, blocks) / step
    gain = np.ones(power.size)
    for _ in range(3):  # each round equalises what the slopes of the previous gain have left
        gain /= np.sqrt(gaussian_filter1d(power * gain**2, GAIN_S * rate / step, mode="nearest"))
    drift_db = gaussian_filter1d(_random_steps_db(rng, gain.size), 50, mode="nearest") + rng.uniform(-5.0, 5.0)
    gain *= TARGET_RMS * 10 ** (drift_db / 20)
    return np.tanh(mix * np.interp(np.arange(mix.size), blocks + step / 2, gain)).astype(np.float32)


def _random_steps_db(rng: Rng, size: int) -> NDArray[np.float64]:
    """Random levels that are constant for two seconds each."""
    return np.repeat([rng.uniform(-6.0, 6.0) for _ in range(size // 100 + 1)], 100)[:size]
