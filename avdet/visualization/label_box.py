"""Text labels as small images: light letters on a dark, half-transparent box, legible on any background."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avdet.visualization.label_fonts import draw_text, font_ascent, text_length

Colour = tuple[int, int, int]

_BACKGROUND: Colour = (16, 16, 20)
_TEXT: Colour = (250, 250, 250)
_GREY: Colour = (165, 165, 175)
_BACKGROUND_OPACITY = 0.62
# By the ink of a pixel, 0 to 255: (256, 3) and (256, 1).
_INK = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
_RGB = np.asarray(_BACKGROUND, np.float32) * (1 - _INK) + np.asarray(_TEXT, np.float32) * _INK
_OPACITY = np.maximum(_INK, np.float32(_BACKGROUND_OPACITY))


@dataclass(frozen=True)
class LabelBox:
    """rgb (h, w, 3) float32 and opacity (h, w, 1) in [0, 1]."""

    rgb: NDArray[np.float32]
    opacity: NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)"""
        return self.rgb.shape[1], self.rgb.shape[0]

    def blend_into(self, frame: NDArray[np.uint8], left: int, top: int) -> None:
        """Draws the label into an RGB frame, in place; what lies outside the frame is clipped."""
        height, width = frame.shape[:2]
        x1, y1 = max(left, 0), max(top, 0)
        x2, y2 = min(left + self.size[0], width), min(top + self.size[1], height)
        if x1 >= x2 or y1 >= y2:
            return
        visible = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
        region = frame[y1:y2, x1:x2]
        region[:] = np.rint(region + self.opacity[visible] * (self.rgb[visible] - region))


@functools.lru_cache(maxsize=512)
def label_box(
    lines: tuple[str, ...],
    colour: Colour,
    text_px: int,
    max_width_px: int,
    score_bars: tuple[tuple[float, float], ...] = (),
    ends: tuple[str, ...] = (),
) -> LabelBox:
    """Draws lines of text next to a stripe in `colour`; lines that are too wide end in an ellipsis.

    ends: per line, text that follows it and is never shortened.
    score_bars: per line two scores in [0, 1], drawn as bars below it: the first in `colour`, the second in grey. A
    score of 1 has the same length on every label.
    """
    stripe_px, pad_px, bar_px = max(text_px // 4, 2), max(text_px // 3, 2), max(text_px // 5, 2)
    line_px = round(text_px * 1.25) + (2 * bar_px + pad_px if score_bars else 0)
    max_text_px = max_width_px - stripe_px - 2 * pad_px
    ends = ends or ("",) * len(lines)
    parts = [(_shortened(line, end, text_px, max_text_px), end) for line, end in zip(lines, ends, strict=True)]
    widths = [(round(text_length(line, text_px)), round(text_length(end, text_px))) for line, end in parts]
    max_bar_px = min(8 * text_px, max_text_px) if score_bars else 0
    content_px = max(max_bar_px, *map(sum, widths))
    letters = np.zeros((line_px * len(lines) + pad_px, stripe_px + 2 * pad_px + content_px), np.uint8)
    for row, ((line, end), (width_px, _)) in enumerate(zip(parts, widths, strict=True)):
        top, left = pad_px // 2 + row * line_px, stripe_px + pad_px
        _add_letters(letters, top, left, line, text_px)
        _add_letters(letters, top, left + width_px, end, text_px)
    rgb, opacity = _RGB[letters], _OPACITY[letters]
    rgb[:, :stripe_px], opacity[:, :stripe_px] = colour, 1.0
    for row, scores in enumerate(score_bars):
        for index, score in enumerate(scores):
            left, top = stripe_px + pad_px, (row + 1) * line_px - (2 - index) * bar_px
            bar = slice(top, top + bar_px), slice(left, left + round(score * max_bar_px))
            rgb[bar], opacity[bar] = _GREY if index else colour, 1.0
    return LabelBox(rgb, opacity)


def _add_letters(letters: NDArray[np.uint8], top: int, left: int, text: str, text_px: int) -> None:
    """Draws text whose line begins at (left, top) into (h, w); what lies outside is clipped."""
    drawn, margin_px = _drawn_text(text, text_px)
    top, left = top - margin_px, left - margin_px
    inside = letters[max(top, 0) : top + drawn.shape[0], max(left, 0) : left + drawn.shape[1]]
    part = drawn[max(-top, 0) :, max(-left, 0) :][: inside.shape[0], : inside.shape[1]]
    np.maximum(inside, part, out=inside)


@functools.lru_cache(maxsize=4096)
def _drawn_text(text: str, text_px: int) -> tuple[NDArray[np.uint8], int]:
    """The text's letters (h, w) and the margin around its line. Names and scores repeat; drawing them takes long."""
    size = round(text_length(text, text_px)) + 2 * text_px, 4 * text_px
    image = Image.new("L", size)
    draw_text(image, (text_px, text_px + font_ascent(text_px)), text, text_px)
    return np.asarray(image), text_px


@functools.lru_cache(maxsize=4096)
def _shortened(line: str, end: str, text_px: int, width_px: int) -> str:
    """The line, shortened until it and its end fit."""
    width_px -= round(text_length(end, text_px))
    if text_length(line, text_px) <= width_px:
        return line
    candidates = (f"{line[:length].rstrip()}…" for length in range(len(line), 0, -1))
    return next((text for text in candidates if text_length(text, text_px) <= width_px), "…")
