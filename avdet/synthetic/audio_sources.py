"""Synthesised audio sources: claps, drum hits, syllables and music, as mono waveforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from avdet.synthetic.rhythm import Beat
from avdet.synthetic.rng import Rng

Waveform = NDArray[np.float32]
AnyWaveform = TypeVar("AnyWaveform", NDArray[np.float32], NDArray[np.float64])
# The first three formants of a, e, i, o, u (Hz).
VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
SCALE = (0, 2, 4, 5, 7, 9, 11)  # semitones of the major scale
CHORDS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4))  # chord progressions in degrees of the scale


def add_at(mix: AnyWaveform, start: int, waveform: AnyWaveform) -> None:
    """Adds a waveform to the mix in place from sample `start` on, cut at the end of the mix."""
    target = mix[start : start + waveform.size]
    target += waveform[: target.size]


@dataclass(frozen=True)
class Timbre:
    """The properties by which one person's audio differs from another's."""

    voice_hz: float
    clap_hz: float
    drum_hz: float
    sample_rate: int
    seed: int


def random_timbre(rng: Rng, sample_rate: int) -> Timbre:
    """Draws the timbre of one person; about half of the voices are higher."""
    return Timbre(
        rng.choice((1.0, 1.7)) * rng.uniform(95, 150), rng.uniform(1100, 2200), rng.uniform(105, 190),
        sample_rate, rng.integer(0, 2**31),
    )  # fmt: skip


def clap(beat: Beat, timbre: Timbre, noise: np.random.Generator) -> Waveform:
    """Returns a broadband noise burst with one broad resonance and a decay of 40 ms."""
    seconds = _seconds(0.16, timbre.sample_rate)
    burst = noise.standard_normal(seconds.size) * np.exp(-seconds / 0.04)
    return _normalised(burst + 2.0 * _resonated(burst, timbre.clap_hz, 700.0, timbre.sample_rate), beat.strength)


def drum_hit(beat: Beat, timbre: Timbre, noise: np.random.Generator) -> Waveform:
    """Returns a low decaying tone of falling pitch with the click of the stick."""
    seconds = _seconds(0.4, timbre.sample_rate)
    phase = 2 * np.pi * timbre.drum_hz * (seconds + 0.03 * (1.0 - np.exp(-seconds / 0.03)))
    tone = np.sin(phase) * np.exp(-seconds / 0.11) + 0.5 * np.sin(2.3 * phase) * np.exp(-seconds / 0.06)
    click = 0.4 * noise.standard_normal(seconds.size) * np.exp(-seconds / 0.006)
    return _normalised(tone + click, beat.strength)


def syllable(beat: Beat, timbre: Timbre, noise: np.random.Generator) -> Waveform:
    """Returns a voiced vowel whose envelope follows the mouth opening, in half of the cases after a short hiss."""
    rate = timbre.sample_rate
    seconds = _seconds(beat.length_s, rate)
    pitch = timbre.voice_hz * (1.0 + noise.uniform(-0.15, 0.15) - 0.1 * seconds / beat.length_s)
    cycles = np.cumsum(pitch) / rate
    source = np.diff(np.floor(cycles), prepend=0.0) + 0.01 * noise.standard_normal(seconds.size)
    vowel = VOWELS[noise.integers(len(VOWELS))]
    voiced = sum(
        weight * _resonated(source, hz, 90.0 + 0.04 * hz, rate)
        for hz, weight in zip(vowel, (1.0, 0.6, 0.35), strict=True)
    )
    envelope = np.sin(np.pi * np.clip(seconds / beat.length_s, 0.0, 1.0)) ** 0.7
    waveform = _normalised(voiced * envelope, beat.strength)
    hiss = 0.12 * noise.standard_normal(seconds.size) * np.exp(-seconds / 0.02)
    return (waveform + hiss * noise.integers(2)).astype(np.float32)


BEAT_SOURCES = {"clap": clap, "drum": drum_hit, "mouth": syllable}


def _seconds(length_s: float, rate: int) -> NDArray[np.float64]:
    return np.arange(round(length_s * rate)) / rate


def _resonated(waveform: NDArray[np.float64], hz: float, bandwidth_hz: float, rate: int) -> NDArray[np.float64]:
    """Filters with a two-pole resonator whose gain is 1 at its centre frequency."""
    radius = np.exp(-np.pi * bandwidth_hz / rate)
    angle = 2 * np.pi * hz / rate
    gain = (1 - radius) * np.sqrt(1 - 2 * radius * np.cos(2 * angle) + radius**2)
    return np.asarray(lfilter([gain], [1.0, -2 * radius * np.cos(angle), radius**2], waveform))


def _normalised(waveform: NDArray[np.float64], peak: float) -> Waveform:
    return (waveform * (peak / max(float(np.abs(waveform).max()), 1e-9))).astype(np.float32)


def music(length_s: float, rng: Rng, rate: int) -> Waveform:
    """Returns chords and a plucked melody in a random key and tempo, faded in and out, without drums or voice."""
    root_hz, beat_s = rng.uniform(196.0, 330.0), rng.uniform(0.36, 0.5)
    progression = rng.choice(CHORDS)
    piece = np.zeros(round(length_s * rate))
    for beat in range(int(length_s / beat_s)):
        start = round(beat * beat_s * rate)
        chord = progression[beat // 4 % 4]
        if beat % 4 == 0:
            for degree in (0, 2, 4):
                add_at(piece, start, 0.3 * _sustained_note(_pitch_hz(root_hz, chord + degree), 4 * beat_s, rate))
        note = chord + rng.choice((0, 2, 4, 7)) + 7
        add_at(piece, start, 0.5 * _plucked_note(_pitch_hz(root_hz, note), rate))
    fade = np.minimum(1.0, np.minimum(np.arange(piece.size), np.arange(piece.size)[::-1]) / (0.1 * rate))
    return (piece * fade).astype(np.float32)


def _pitch_hz(root_hz: float, degree: int) -> float:
    octave, step = divmod(degree, len(SCALE))
    return root_hz * 2 ** (octave + SCALE[step] / 12)


def _sustained_note(hz: float, length_s: float, rate: int) -> NDArray[np.float64]:
    seconds = np.arange(round(length_s * rate)) / rate
    tone = sum(np.sin(2 * np.pi * hz * part * seconds) / part**1.5 for part in (1, 2, 3, 4))
    return np.asarray(tone * np.minimum(1.0, np.minimum(seconds, length_s - seconds) / 0.08))


def _plucked_note(hz: float, rate: int) -> NDArray[np.float64]:
    seconds = np.arange(round(0.5 * rate)) / rate
    tone = sum(np.sin(2 * np.pi * hz * part * seconds) * np.exp(-seconds * part / 0.18) / part for part in (1, 2, 3))
    return np.asarray(tone * np.minimum(1.0, seconds / 0.01))
