"""The spectrogram of a whole video as images: an overview, and tiles with more detail for a zoomed time axis."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avdet.media.video_reader import VideoReader
from avdet.visualization.spectrogram import log_mel_image, read_log_mel

__all__ = ["spectrogram_images"]

_OVERVIEW_COLUMNS = 2000
_MAX_COLUMNS, _TILE_COLUMNS = 36000, 6000  # 0.2 s per column on two hours of audio
_QUALITY = 40  # of WebP


def spectrogram_images(reader: VideoReader) -> dict[str, object]:
    """Returns {overview, tiles} as data URLs; the tiles have equal durations. A short video has no tiles.

    Each column of the overview holds the maximum of the columns that it stands for.
    """
    log_mel = read_log_mel(reader, 0.0, reader.info.duration_s, max_columns=_MAX_COLUMNS)
    columns = log_mel.shape[1]
    if columns <= 2 * _OVERVIEW_COLUMNS:
        return {"overview": _url(log_mel), "tiles": []}
    starts = np.linspace(0, columns, _OVERVIEW_COLUMNS, endpoint=False).astype(np.int64)
    tiles = np.array_split(log_mel, round(columns / _TILE_COLUMNS) or 1, axis=1)
    return {"overview": _url(np.maximum.reduceat(log_mel, starts, axis=1)), "tiles": [_url(tile) for tile in tiles]}


def _url(log_mel: NDArray[np.float32]) -> str:
    file = io.BytesIO()
    Image.fromarray(log_mel_image(log_mel)).save(file, "WEBP", quality=_QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
