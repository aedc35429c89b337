"""The audio of a video as a log-mel spectrogram: as an array, as an image, and as a bar below the video's frames."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from avdet.media.logmel import HOP, SAMPLE_RATE, WINDOW, LogMel
from avdet.media.video_reader import VideoReader
from avdet.visualization.label_fonts import draw_text, text_length

__all__ = ["SpectrogramBar", "log_mel_image", "read_log_mel"]

_BLOCK_S = 20.0
# ln(power): inaudible audio is black, loud music has the brightest colour.
SILENCE, _LOUDEST = -14.0, 2.0
_MAX_PAGE_S = 10.0
_TICK_COLOUR = (200, 200, 210)


def read_log_mel(reader: VideoReader, start_s: float, duration_s: float, *, max_columns: int) -> NDArray[np.float32]:
    """Returns (mel bins, columns), lowest bin first: at most `max_columns` columns of equal duration.

    Each column holds the maximum over its duration, so that short events stay visible in an hour of audio. Audio is
    read in blocks: memory does not grow with the duration.
    """
    log_mel = LogMel()
    hops = max(round(duration_s * SAMPLE_RATE / HOP), 1)
    columns = min(max_columns, hops)
    loudest = np.full((columns, log_mel.num_mels), SILENCE, np.float32)
    # Windows are centred on their hop and reach beyond it on either side.
    margin_s = (WINDOW - HOP) / 2 / SAMPLE_RATE
    for block_s in np.arange(0.0, duration_s, _BLOCK_S):
        length_s = max(min(_BLOCK_S, duration_s - block_s), HOP / SAMPLE_RATE)
        audio = reader.audio(start_s + block_s - margin_s, length_s + 2 * margin_s, SAMPLE_RATE)
        with torch.inference_mode():
            block = log_mel.log_mel(torch.from_numpy(audio)).numpy()
        centres_s = block_s + (np.arange(len(block)) + 0.5) * HOP / SAMPLE_RATE
        column = np.clip((centres_s / duration_s * columns).astype(np.int64), 0, columns - 1)
        np.maximum.at(loudest, column, block)
    return loudest.T


def log_mel_image(
    log_mel: NDArray[np.float32], value_range: tuple[float, float] = (SILENCE, _LOUDEST)
) -> NDArray[np.uint8]:
    """Colours (mel bins, columns) as RGB (mel bins, columns, 3), highest bin on top, from black to bright."""
    black, bright = value_range
    level = np.clip((log_mel[::-1] - black) / (bright - black), 0.0, 1.0)
    palette = (np.asarray(mpl.colormaps["magma"](np.linspace(0, 1, 256)))[:, :3] * 255).astype(np.uint8)
    return palette[(level * 255).astype(np.uint8)]


class SpectrogramBar:
    """Draws the spectrogram around a frame's time with a cursor, in pages of equal duration of at most 10 s.

    The spectrogram stands still while the cursor moves; times are below it. Needs a video with audio; use as a context
    manager.
    """

    def __init__(
        self,
        video: str | Path,
        start_s: float = 0.0,
        end_s: float = math.inf,
        *,
        timestamp_offset_s: float = 0.0,
        audio_track: int | None = None,
    ) -> None:
        """start_s, end_s: the part that the pages divide. timestamp_offset_s: added to the displayed times."""
        self._reader = VideoReader(video, audio_track=audio_track)
        self._start_s, self._timestamp_offset_s = start_s, timestamp_offset_s
        self._duration_s = min(self._reader.info.duration_s, end_s) - start_s
        self.page_s = self._duration_s / max(np.ceil(self._duration_s / _MAX_PAGE_S), 1)
        self._page_number, self._page = -1, np.zeros((0, 0, 3), np.uint8)

    def __enter__(self) -> SpectrogramBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def draw(self, bar: NDArray[np.uint8], time_s: float) -> None:
        """Fills an RGB array (h, W, 3)."""
        height, width = bar.shape[:2]
        time_s = min(max(time_s - self._start_s, 0.0), self._duration_s)
        number = int(min(time_s, self._duration_s - 1e-6) / self.page_s)
        if self._page_number != number or self._page.shape != bar.shape:
            page_start_s = self._start_s + number * self.page_s
            self._page_number, self._page = number, self._draw_page(page_start_s, width, height)
        bar[:] = self._page
        x = round((time_s / self.page_s - number) * (width - 1))
        line_px = max(height // 40, 1)
        bar[:, max(x - 2 * line_px, 0) : x + 2 * line_px + 1] //= 3
        bar[:, max(x - line_px // 2, 0) : x + (line_px + 1) // 2 + 1] = 255

    def _draw_page(self, start_s: float, width: int, height: int) -> NDArray[np.uint8]:
        """The spectrogram, and below it the axis with the times, as m:ss."""
        axis_px = max(height // 5, 11)
        log_mel = read_log_mel(self._reader, start_s, self.page_s, max_columns=width)
        page = np.zeros((height, width, 3), np.uint8)
        page[: height - axis_px] = cv2.resize(
            log_mel_image(log_mel), (width, height - axis_px), interpolation=cv2.INTER_AREA
        )
        letters = Image.new("L", (width, axis_px))
        text_px = round(0.8 * axis_px)
        shown_s = start_s + self._timestamp_offset_s
        for second in range(math.ceil(shown_s), math.floor(shown_s + self.page_s) + 1):
            x = min(round((second - shown_s) / self.page_s * (width - 1)), width - 1)
            page[height - axis_px - max(height // 16, 2) : height - axis_px, x : x + max(height // 80, 1)] = (
                _TICK_COLOUR
            )
            minutes, seconds = divmod(second, 60)
            text = f"{minutes}:{seconds:02d}"
            left = x - text_length(text, text_px) / 2
            if second % self._step_s(width, text_px) == 0 and 0 <= left <= width - text_length(text, text_px):
                draw_text(letters, (left, round(0.85 * axis_px)), text, text_px)
        page[height - axis_px :] = np.asarray(letters)[..., None]
        return page

    def _step_s(self, width: int, text_px: int) -> int:
        """Seconds between two numbers, which are at least three of their heights wide."""
        return next((step for step in (1, 2, 5) if step / self.page_s * width >= 4.5 * text_px), 10)
