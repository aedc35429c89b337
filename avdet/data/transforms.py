"""Frames and boxes together, on bytes: what happens to the picture happens to the boxes.

Frames are (T, H, W, 3) uint8; boxes (N, 4) in pixels of those frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from avdet.boxes import clip_xyxy, flip_xyxy, shift_xyxy
from avdet.media.reader import Frames

__all__ = ["Crop", "crop", "draw_crop", "flip", "visible"]

SMALLEST_VISIBLE_SHARE = 0.2  # a person of whom less is in the crop cannot be judged by it


@dataclass(frozen=True)
class Crop:
    left: int
    top: int
    size: int


def draw_crop(height: int, width: int, size: int, rng: np.random.Generator) -> Crop:
    """A square anywhere in the frame."""
    return Crop(int(rng.integers(width - size + 1)), int(rng.integers(height - size + 1)), size)


def crop(frames: Frames, boxes_px: Tensor, where: Crop) -> tuple[Frames, Tensor]:
    """The square and the boxes in its own coordinates, not yet clipped: `visible` needs their full extent."""
    cut = frames[:, where.top : where.top + where.size, where.left : where.left + where.size]
    return cut, shift_xyxy(boxes_px, -where.left, -where.top)


def flip(frames: Frames, boxes_px: Tensor) -> tuple[Frames, Tensor]:
    return frames[:, :, ::-1], flip_xyxy(boxes_px, frames.shape[2])


def visible(boxes_px: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """The boxes clipped to the frame, and which of them still show enough of their person to be kept, (N,) bool."""
    clipped = clip_xyxy(boxes_px, width, height)
    return clipped, _area(clipped) >= SMALLEST_VISIBLE_SHARE * _area(boxes_px).clamp(min=1.0)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]).clamp(min=0) * (boxes[:, 3] - boxes[:, 1]).clamp(min=0)
