"""The sound of a video as a picture: its log-mel, time to the right and high notes on top."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import torch
from numpy.typing import NDArray

from avdet.media.logmel import HOP, SAMPLE_RATE, WINDOW, LogMel
from avdet.media.reader import VideoReader

__all__ = ["coloured", "log_mel_columns"]

_BLOCK_S = 20.0
# ln(power): black is what nobody hears, the brightest colour is loud music.
_BLACK, _BRIGHT = -14.0, 2.0
SILENCE = _BLACK


def log_mel_columns(reader: VideoReader, start_s: float, duration_s: float, *, max_columns: int) -> NDArray[np.float32]:
    """(mel bins, columns) of the span, the lowest bin first: at most `max_columns` columns, each as wide in time.

    A column holds the loudest of its time, so that a clap is seen in an hour too. Reads block by block: memory does
    not grow with the span.
    """
    log_mel = LogMel()
    hops = max(round(duration_s * SAMPLE_RATE / HOP), 1)
    columns = min(max_columns, hops)
    loudest = np.full((columns, log_mel.num_mels), _BLACK, np.float32)
    for block_s in np.arange(0.0, duration_s, _BLOCK_S):
        length_s = min(_BLOCK_S, duration_s - block_s)
        # Windows stand in the middle of their hop: half a window more to either side.
        margin_s = (WINDOW - HOP) / 2 / SAMPLE_RATE
        sound = reader.audio(start_s + block_s - margin_s, max(length_s, HOP / SAMPLE_RATE) + 2 * margin_s, SAMPLE_RATE)
        with torch.inference_mode():
            heard = log_mel.log_mel(torch.from_numpy(sound)).numpy()
        middles_s = block_s + (np.arange(len(heard)) + 0.5) * HOP / SAMPLE_RATE
        column = np.clip((middles_s / duration_s * columns).astype(np.int64), 0, columns - 1)
        np.maximum.at(loudest, column, heard)
    return loudest.T


def coloured(log_mel: NDArray[np.float32], span: tuple[float, float] = (_BLACK, _BRIGHT)) -> NDArray[np.uint8]:
    """(mel bins, columns) -> (mel bins, columns, 3) RGB, the highest bin on top; `span` goes from black to bright."""
    black, bright = span
    level = np.clip((log_mel[::-1] - black) / (bright - black), 0.0, 1.0)
    palette = (np.asarray(mpl.colormaps["magma"](np.linspace(0, 1, 256)))[:, :3] * 255).astype(np.uint8)
    return palette[(level * 255).astype(np.uint8)]
