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
    lines = tuple(_shortened(line, end, text_px, max_text_px) for line, end in zip(lines, ends, strict=True))
    max_bar_px = min(8 * text_px, max_text_px) if score_bars else 0
    content_px = max(max_bar_px, *(round(text_length(line, text_px)) for line in lines))
    image = Image.new("RGB", (stripe_px + 2 * pad_px + content_px, line_px * len(lines) + pad_px), _BACKGROUND)
    letters = Image.new("L", image.size, 0)
    for row, line in enumerate(lines):
        draw_text(letters, (stripe_px + pad_px, pad_px // 2 + row * line_px + font_ascent(text_px)), line, text_px)
    image.paste(_TEXT, mask=letters)
    image.paste(colour, (0, 0, stripe_px, image.height))
    opacity = np.maximum(np.asarray(letters, np.float32) / 255, _BACKGROUND_OPACITY)
    opacity[:, :stripe_px] = 1.0
    for row, scores in enumerate(score_bars):
        for index, score in enumerate(scores):
            left, top = stripe_px + pad_px, (row + 1) * line_px - (2 - index) * bar_px
            right, bottom = left + round(score * max_bar_px), top + bar_px
            image.paste(_GREY if index else colour, (left, top, right, bottom))
            opacity[top:bottom, left:right] = 1.0
    return LabelBox(np.asarray(image, np.float32), opacity[..., None])


def _shortened(line: str, end: str, text_px: int, width_px: int) -> str:
    """The line and its end; the line is shortened until both fit."""
    if text_length(line + end, text_px) <= width_px:
        return line + end
    candidates = (f"{line[:length].rstrip()}…{end}" for length in range(len(line), 0, -1))
    return next((text for text in candidates if text_length(text, text_px) <= width_px), f"…{end}")
