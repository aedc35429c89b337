"""Mixes what a scene sounds like: people, what is off screen, music, a noisy place, and a camera's levelling.

A camera's automatic gain makes the loudness of any two seconds nearly the same, whatever sounds: so
loudness tells nothing, while what stands out from the noise tells all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve, lfilter

from avdet.synthetic.classes import Look
from avdet.synthetic.music import play_music
from avdet.synthetic.rhythm import Beat
from avdet.synthetic.rng import Dice
from avdet.synthetic.scene import Scene
from avdet.synthetic.synthetic_settings import SampleSettings
from avdet.synthetic.voices import VOICES, AudioState, Timbre, draw_timbre

LEVELS = {"clap": 0.9, "drum": 0.9, "mouth": 0.75}
GAIN_S = 0.6  # how slowly the camera's gain follows (standard deviation of a bell)
LOUDNESS = 0.05  # what the gain aims at, root mean square


def soundtrack(scene: Scene, settings: SampleSettings) -> AudioState:
    """The whole scene's sound, mono float32 within [-1, 1]."""
    rate = settings.sample_rate
    dice = Dice("sound", scene.name, scene.seed)
    noise = np.random.default_rng(dice.integer(0, 2**31))
    mix = np.zeros(round(scene.duration_s * rate), np.float32)
    for actor in scene.actors:
        timbre = draw_timbre(dice, rate)
        for act in actor.acts:
            if act.heard:
                _add_beats(mix, act.look, act.beats, timbre, noise)
    for off_screen in scene.off_screen:
        _add_beats(mix, off_screen.look, off_screen.beats, draw_timbre(dice, rate), noise)
    for span in scene.music:
        _add(mix, 0.3 * play_music(span.end_s - span.start_s, dice, rate), span.start_s, rate)
    mix = _in_a_room(mix, dice, noise, rate)
    _add_noises(mix, settings, dice, noise)
    return _levelled(mix, dice, rate)


def _add_beats(mix: AudioState, look: Look, beats: Sequence[Beat], timbre: Timbre, noise: np.random.Generator) -> None:
    for beat in beats:
        _add(mix, LEVELS[look] * VOICES[look](beat, timbre, noise), beat.time_s, timbre.rate)


def _add(mix: AudioState, sound: AudioState, time_s: float, rate: int) -> None:
    start = round(time_s * rate)
    room = mix[start : start + sound.size]
    room += sound[: room.size]


def _in_a_room(mix: AudioState, dice: Dice, noise: np.random.Generator, rate: int) -> AudioState:
    """A short, faint echo."""
    seconds = np.arange(round(0.15 * rate)) / rate
    echo = noise.standard_normal(seconds.size) * np.exp(-seconds / dice.uniform(0.02, 0.05))
    echo *= dice.uniform(0.1, 0.3) / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    return np.asarray(fftconvolve(mix, echo)[: mix.size], np.float32)


def _add_noises(mix: AudioState, settings: SampleSettings, dice: Dice, noise: np.random.Generator) -> None:
    """A steady noise of the place, and chirps, beeps and gusts at times that ask nothing of the story."""
    rate = settings.sample_rate
    colour = dice.uniform(0.6, 0.97)
    floor = lfilter([1.0], [1.0, -colour], noise.standard_normal(mix.size))
    level = 10 ** (dice.uniform(*settings.noise_db) / 20)
    mix += (level / np.std(floor) * floor).astype(np.float32)
    time_s = dice.uniform(0.0, 3.0)
    while time_s < mix.size / rate - 1.0:
        _add(mix, dice.uniform(0.08, 0.25) * _stray_sound(dice, noise, rate), time_s, rate)
        time_s += dice.uniform(1.0, 5.0)


def _stray_sound(dice: Dice, noise: np.random.Generator, rate: int) -> AudioState:
    kind, seconds = dice.pick(("chirp", "beep", "gust")), np.arange(round(dice.uniform(0.3, 0.8) * rate)) / rate
    swell = np.sin(np.pi * seconds / seconds[-1])
    if kind == "gust":
        sound: NDArray[np.float64] = lfilter([0.1], [1.0, -0.9], noise.standard_normal(seconds.size))
    elif kind == "beep":
        sound = np.sin(2 * np.pi * dice.uniform(900, 1500) * seconds)
    else:
        sound = np.sin(2 * np.pi * dice.uniform(3000, 4500) * seconds + 20 * np.sin(2 * np.pi * 9 * seconds))
    return (sound * swell).astype(np.float32)


def _levelled(mix: AudioState, dice: Dice, rate: int) -> AudioState:
    """The camera's gain: even power over about two seconds, then a drift by chance and a soft ceiling."""
    step = rate // 50
    blocks = np.arange(0, mix.size, step)
    power = np.add.reduceat(mix.astype(np.float64) ** 2, blocks) / step
    gain = np.ones(power.size)
    for _ in range(3):  # each round evens out what the last one's own slopes have left
        gain /= np.sqrt(gaussian_filter1d(power * gain**2, GAIN_S * rate / step, mode="nearest"))
    drift_db = gaussian_filter1d(_steps(dice, gain.size), 50, mode="nearest") + dice.uniform(-5.0, 5.0)
    gain *= LOUDNESS * 10 ** (drift_db / 20)
    return np.tanh(mix * np.interp(np.arange(mix.size), blocks + step / 2, gain)).astype(np.float32)


def _steps(dice: Dice, size: int) -> NDArray[np.float64]:
    """Levels in dB that hold for two seconds each."""
    return np.repeat([dice.uniform(-6.0, 6.0) for _ in range(size // 100 + 1)], 100)[:size]
