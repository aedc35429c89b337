"""A strip under the picture: the log-mel of the sound around it, and where in it the picture is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.media.reader import VideoReader
from avdet.visualization.spectrogram import coloured, log_mel_columns

__all__ = ["SpectrogramBar"]

_LONGEST_PAGE_S = 10.0
_TICK = (200, 200, 210)


class SpectrogramBar:
    """Pages of at most 10 s, all equally long: the sound stands still and the cursor moves, as in a score.

    One page is held at a time. Use as a context manager; of a video with sound.
    """

    def __init__(self, video: str | Path) -> None:
        self._reader = VideoReader(video)
        self._duration_s = self._reader.info.duration_s
        self.page_s = self._duration_s / max(np.ceil(self._duration_s / _LONGEST_PAGE_S), 1)
        self._page = (-1, np.zeros((0, 0, 3), np.uint8))

    def __enter__(self) -> SpectrogramBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def draw(self, strip: NDArray[np.uint8], time_s: float) -> None:
        """Fills an RGB picture (h, W, 3)."""
        height, width = strip.shape[:2]
        number = int(min(max(time_s, 0.0), self._duration_s - 1e-6) / self.page_s)
        if self._page[0] != number or self._page[1].shape != strip.shape:
            self._page = (number, self._picture(number * self.page_s, width, height))
        strip[:] = self._page[1]
        x = round((time_s / self.page_s - number) * (width - 1))
        line_px = max(height // 40, 1)
        strip[:, max(x - 2 * line_px, 0) : x + 2 * line_px + 1] //= 3
        strip[:, max(x - line_px // 2, 0) : x + (line_px + 1) // 2 + 1] = 255

    def _picture(self, start_s: float, width: int, height: int) -> NDArray[np.uint8]:
        log_mel = log_mel_columns(self._reader, start_s, self.page_s, max_columns=width)
        picture = cv2.resize(coloured(log_mel), (width, height), interpolation=cv2.INTER_AREA)
        tick_px = max(height // 16, 2)
        for second in range(int(np.ceil(start_s)), int(start_s + self.page_s) + 1):
            x = min(round((second - start_s) / self.page_s * (width - 1)), width - 1)
            picture[-tick_px:, x : x + max(height // 80, 1)] = _TICK
        return np.asarray(picture, np.uint8)
