"""The single sounds of the sample world, made of noise, sines and filters: mono float32, peaks near 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from avdet.synthetic.rhythm import Beat
from avdet.synthetic.rng import Dice

AudioState = NDArray[np.float32]
# The first three formants of a, e, i, o, u (Hz).
VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))


@dataclass(frozen=True)
class Timbre:
    """What tells one person's sounds from another's."""

    voice_hz: float
    clap_hz: float
    drum_hz: float
    rate: int
    seed: int


def draw_timbre(dice: Dice, rate: int) -> Timbre:
    return Timbre(
        dice.pick((1.0, 1.7)) * dice.uniform(95, 150), dice.uniform(1100, 2200), dice.uniform(105, 190),
        rate, dice.integer(0, 2**31),
    )  # fmt: skip


def clap(beat: Beat, timbre: Timbre, noise: np.random.Generator) -> AudioState:
    """A burst over the whole band with one broad hump, gone in a twentieth of a second."""
    seconds = _seconds(0.16, timbre.rate)
    burst = noise.standard_normal(seconds.size) * np.exp(-seconds / 0.04)
    return _peak(burst + 2.0 * _resonated(burst, timbre.clap_hz, 700.0, timbre.rate), beat.strength)


def drum(beat: Beat, timbre: Timbre, noise: np.random.Generator) -> AudioState:
    """A low tone that falls in pitch and dies away, with the tick of the stick."""
    seconds = _seconds(0.4, timbre.rate)
    phase = 2 * np.pi * timbre.drum_hz * (seconds + 0.03 * (1.0 - np.exp(-seconds / 0.03)))
    tone = np.sin(phase) * np.exp(-seconds / 0.11) + 0.5 * np.sin(2.3 * phase) * np.exp(-seconds / 0.06)
    tick = 0.4 * noise.standard_normal(seconds.size) * np.exp(-seconds / 0.006)
    return _peak(tone + tick, beat.strength)


def syllable(beat: Beat, timbre: Timbre, noise: np.random.Generator) -> AudioState:
    """A voiced vowel that swells and closes with the mouth, after a short hiss."""
    rate = timbre.rate
    seconds = _seconds(beat.length_s, rate)
    pitch = timbre.voice_hz * (1.0 + noise.uniform(-0.15, 0.15) - 0.1 * seconds / beat.length_s)
    cycles = np.cumsum(pitch) / rate
    buzz = np.diff(np.floor(cycles), prepend=0.0) + 0.01 * noise.standard_normal(seconds.size)
    vowel = VOWELS[noise.integers(len(VOWELS))]
    voiced = sum(
        weight * _resonated(buzz, hz, 90.0 + 0.04 * hz, rate)
        for hz, weight in zip(vowel, (1.0, 0.6, 0.35), strict=True)
    )
    swell = np.sin(np.pi * np.clip(seconds / beat.length_s, 0.0, 1.0)) ** 0.7
    sound = _peak(voiced * swell, beat.strength)
    hiss = 0.12 * noise.standard_normal(seconds.size) * np.exp(-seconds / 0.02)
    return (sound + hiss * noise.integers(2)).astype(np.float32)


VOICES = {"clap": clap, "drum": drum, "mouth": syllable}


def _seconds(length_s: float, rate: int) -> NDArray[np.float64]:
    return np.arange(round(length_s * rate)) / rate


def _resonated(sound: NDArray[np.float64], hz: float, width_hz: float, rate: int) -> NDArray[np.float64]:
    """Through one two-pole resonator of gain 1 at its middle."""
    radius = np.exp(-np.pi * width_hz / rate)
    angle = 2 * np.pi * hz / rate
    gain = (1 - radius) * np.sqrt(1 - 2 * radius * np.cos(2 * angle) + radius**2)
    return np.asarray(lfilter([gain], [1.0, -2 * radius * np.cos(angle), radius**2], sound))


def _peak(sound: NDArray[np.float64], height: float) -> AudioState:
    return (sound * (height / max(float(np.abs(sound).max()), 1e-9))).astype(np.float32)
