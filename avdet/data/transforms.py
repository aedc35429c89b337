"""Frames and boxes together, on bytes: what happens to the picture happens to the boxes.

Frames are (T, H, W, 3) uint8; boxes (N, 4) in pixels of those frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from avdet.boxes import clip_xyxy, flip_xyxy, shift_xyxy
from avdet.media.reader import Frames

__all__ = ["Crop", "crop", "draw_colours", "draw_crop", "draw_short_side", "flip", "recolour", "visible"]

LUMA = np.array([0.299, 0.587, 0.114])
PRINCIPAL_SPREADS = np.array([0.2175, 0.0188, 0.0045])
PRINCIPAL_COLOURS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
SMALLEST_VISIBLE_SHARE = 0.2  # a person of whom less is in the crop cannot be judged by it


@dataclass(frozen=True)
class Crop:
    left: int
    top: int
    size: int


def draw_short_side(
    between: tuple[int, int], scale: Literal["uniform", "inverse_uniform"], rng: np.random.Generator
) -> int:
    """Pixels of the scaled frame's short side; inverse_uniform draws 1 / it evenly: more of the small ones."""
    low, high = between
    if scale == "uniform":
        return int(rng.integers(low, high + 1))
    return round(1 / rng.uniform(1 / high, 1 / low))


def draw_crop(height: int, width: int, size: int, rng: np.random.Generator) -> Crop:
    """A square anywhere in the frame."""
    return Crop(int(rng.integers(width - size + 1)), int(rng.integers(height - size + 1)), size)


def crop(frames: Frames, boxes_px: Tensor, where: Crop) -> tuple[Frames, Tensor]:
    """The square and the boxes in its own coordinates, not yet clipped: `visible` needs their full extent."""
    cut = frames[:, where.top : where.top + where.size, where.left : where.left + where.size]
    return cut, shift_xyxy(boxes_px, -where.left, -where.top)


def flip(frames: Frames, boxes_px: Tensor) -> tuple[Frames, Tensor]:
    """By OpenCV: numpy's view of negative stride makes whatever comes next fifty times slower."""
    count, height, width, _ = frames.shape
    flipped = cv2.flip(frames.reshape(count * height, width, 3), 1)
    return np.asarray(flipped, np.uint8).reshape(frames.shape), flip_xyxy(boxes_px, width)


def draw_colours(jitter: float, pca_lighting: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A colour transform (3, 4) for `recolour`, as in AVA's recipes.

    Brightness, contrast (about mid grey) and saturation are multiplied by factors of 1 - `jitter` to 1 + `jitter`;
    then a shift along ImageNet's principal colours, of standard deviation `pca_lighting` (Krizhevsky et al. 2012, 4.1).
    """
    brightness, contrast, saturation = 1 + jitter * rng.uniform(-1, 1, size=3)
    mix = saturation * np.eye(3) + (1 - saturation) * np.tile(LUMA, (3, 1))
    shift = 128 * (1 - contrast) + 255 * PRINCIPAL_COLOURS @ (pca_lighting * rng.standard_normal(3) * PRINCIPAL_SPREADS)
    return np.column_stack([brightness * contrast * mix, shift]).astype(np.float32)


def recolour(frames: Frames, colours: NDArray[np.float32]) -> Frames:
    """Every pixel by the same (3, 4) transform, in all frames alike; what leaves 0..255 is clipped."""
    count, height, width, _ = frames.shape
    return cv2.transform(frames.reshape(count * height, width, 3), colours).reshape(frames.shape)  # type: ignore[return-value]


def visible(boxes_px: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """The boxes clipped to the frame, and which of them still show enough of their person to be kept, (N,) bool."""
    clipped = clip_xyxy(boxes_px, width, height)
    return clipped, _area(clipped) >= SMALLEST_VISIBLE_SHARE * _area(boxes_px).clamp(min=1.0)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]).clamp(min=0) * (boxes[:, 3] - boxes[:, 1]).clamp(min=0)
