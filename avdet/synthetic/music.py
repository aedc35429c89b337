"""Music from nowhere: soft chords and a plucked tune, without drums and without a voice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdet.synthetic.rng import Dice
from avdet.synthetic.voices import AudioState

SCALE = (0, 2, 4, 5, 7, 9, 11)
CHORDS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4))  # degrees of the scale


def play_music(length_s: float, dice: Dice, rate: int) -> AudioState:
    """A piece of the given length in a key and at a pace of its own, faded in and out."""
    root_hz, beat_s = dice.uniform(196.0, 330.0), dice.uniform(0.36, 0.5)
    progression = dice.pick(CHORDS)
    piece = np.zeros(round(length_s * rate))
    for beat in range(int(length_s / beat_s)):
        start = round(beat * beat_s * rate)
        chord = progression[beat // 4 % 4]
        if beat % 4 == 0:
            for third in (0, 2, 4):
                _lay(piece, start, 0.3 * _pad(_pitch(root_hz, chord + third), 4 * beat_s, rate))
        note = chord + dice.pick((0, 2, 4, 7)) + 7
        _lay(piece, start, 0.5 * _pluck(_pitch(root_hz, note), rate))
    fade = np.minimum(1.0, np.minimum(np.arange(piece.size), np.arange(piece.size)[::-1]) / (0.1 * rate))
    return (piece * fade).astype(np.float32)


def _pitch(root_hz: float, degree: int) -> float:
    octave, step = divmod(degree, len(SCALE))
    return root_hz * 2 ** (octave + SCALE[step] / 12)


def _pad(hz: float, length_s: float, rate: int) -> NDArray[np.float64]:
    seconds = np.arange(round(length_s * rate)) / rate
    tone = sum(np.sin(2 * np.pi * hz * part * seconds) / part**1.5 for part in (1, 2, 3, 4))
    return np.asarray(tone * np.minimum(1.0, np.minimum(seconds, length_s - seconds) / 0.08))


def _pluck(hz: float, rate: int) -> NDArray[np.float64]:
    seconds = np.arange(round(0.5 * rate)) / rate
    tone = sum(np.sin(2 * np.pi * hz * part * seconds) * np.exp(-seconds * part / 0.18) / part for part in (1, 2, 3))
    return np.asarray(tone * np.minimum(1.0, seconds / 0.01))


def _lay(piece: NDArray[np.float64], start: int, sound: NDArray[np.float64]) -> None:
    room = piece[start : start + sound.size]
    room += sound[: room.size]
