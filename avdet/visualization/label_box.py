"""Text as small pictures: light letters on a dark plate, so that they can be read on anything."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

_PLATE: Colour = (16, 16, 20)
_INK: Colour = (250, 250, 250)
_GREY: Colour = (165, 165, 175)
_PLATE_OPACITY = 0.62


@dataclass(frozen=True)
class LabelBox:
    """rgb (h, w, 3) float32 and opacity (h, w, 1) of [0, 1]."""

    rgb: NDArray[np.float32]
    opacity: NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)"""
        return self.rgb.shape[1], self.rgb.shape[0]

    def put(self, frame: NDArray[np.uint8], left: int, top: int) -> None:
        """Blends it into an RGB frame, in place; what lies outside is cut off."""
        height, width = frame.shape[:2]
        x1, y1 = max(left, 0), max(top, 0)
        x2, y2 = min(left + self.size[0], width), min(top + self.size[1], height)
        if x1 >= x2 or y1 >= y2:
            return
        part = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
        under = frame[y1:y2, x1:x2]
        under[:] = np.rint(under + self.opacity[part] * (self.rgb[part] - under))


@functools.lru_cache(maxsize=512)
def label_box(
    lines: tuple[str, ...],
    colour: Colour,
    text_px: int,
    max_width_px: int,
    bars: tuple[tuple[float, float], ...] = (),
) -> LabelBox:
    """Lines of text beside a stripe in `colour`; a line that is too wide ends in an ellipsis.

    bars: under each line two shares of 1, which is as long on every plate: the first in `colour`, the second in grey.
    """
    font = _font(text_px)
    stripe, pad = max(text_px // 4, 2), max(text_px // 3, 2)
    bar_px = max(text_px // 5, 2)
    line_px = round(text_px * 1.25) + (2 * bar_px + pad if bars else 0)
    shown = [_shortened(line, font, max_width_px - stripe - 2 * pad) for line in lines]
    bar_width = min(8 * text_px, max_width_px - stripe - 2 * pad) if bars else 0
    text_width = max(bar_width, *(round(font.getlength(line)) for line in shown))
    image = Image.new("RGB", (stripe + 2 * pad + text_width, line_px * len(shown) + pad), _PLATE)
    ink = Image.new("L", image.size, 0)
    for row, line in enumerate(shown):
        ImageDraw.Draw(ink).text((stripe + pad, pad // 2 + row * line_px), line, fill=255, font=font)
    image.paste(_INK, mask=ink)
    image.paste(colour, (0, 0, stripe, image.height))
    opacity = np.maximum(np.asarray(ink, np.float32) / 255, _PLATE_OPACITY)
    opacity[:, :stripe] = 1.0
    for row, shares in enumerate(bars):
        for second, share in enumerate(shares):
            top = (row + 1) * line_px - 2 * bar_px + second * bar_px
            place = (stripe + pad, top, stripe + pad + round(share * bar_width), top + bar_px)
            image.paste(_GREY if second else colour, place)
            opacity[place[1] : place[3], place[0] : place[2]] = 1.0
    return LabelBox(np.asarray(image, np.float32), opacity[..., None])


def _shortened(line: str, font: ImageFont.FreeTypeFont, width_px: int) -> str:
    if font.getlength(line) <= width_px:
        return line
    return next(
        (f"{line[:end]}…" for end in range(len(line), 0, -1) if font.getlength(f"{line[:end]}…") <= width_px), "…"
    )


@functools.cache
def _font(text_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and knows most alphabets."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", text_px)
