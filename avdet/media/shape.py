"""From a stored frame to the picture that a player shows: upright, with square pixels, at the wanted size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

# Pixels within this of square stay as they are stored: nobody sees it, and resampling would blur.
_SQUARE_ENOUGH = 0.02
_CREDIBLE_ASPECT = 4


@dataclass(frozen=True)
class PictureShape:
    """Size before the turn, and the turn: quarter turns anti-clockwise."""

    width: int
    height: int
    quarter_turns: int

    @property
    def shown_size(self) -> tuple[int, int]:
        """(width, height) as shown."""
        return (self.height, self.width) if self.quarter_turns % 2 else (self.width, self.height)


def shape_of(frame: VideoFrame, pixel_aspect: Fraction | None, short_side: int | None) -> PictureShape:
    """How a stored frame is shown: pixels made square, turned by quarters, scaled to exactly `short_side`.

    Other angles and mirrored pictures are shown as they are stored.
    """
    turns = round(frame.rotation / 90) % 4 if abs(frame.rotation) <= 180 and frame.rotation % 90 == 0 else 0
    width, height = frame.width * _credible(pixel_aspect), frame.height
    scale = 1.0 if short_side is None else short_side / min(width, height)
    return PictureShape(max(round(width * scale), 1), max(round(height * scale), 1), turns)


def to_rgb(frame: VideoFrame, shape: PictureShape, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    """(height, width, 3) uint8, scaled and converted in one pass by swscale."""
    stored = reformatter.reformat(frame, width=shape.width, height=shape.height, format="rgb24", threads=1)
    return np.rot90(stored.to_ndarray(), shape.quarter_turns)


def _credible(pixel_aspect: Fraction | None) -> float:
    aspect = float(pixel_aspect or 1)
    credible = 1 / _CREDIBLE_ASPECT <= aspect <= _CREDIBLE_ASPECT
    return aspect if credible and abs(aspect - 1) > _SQUARE_ENOUGH else 1.0
