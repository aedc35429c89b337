"""Crops, flips and colour transforms of uint8 frames together with their boxes.

Frames are (T, H, W, 3) uint8; boxes (N, 4) xyxy in pixels of those frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from avdet.boxes import clip_xyxy, flip_xyxy, shift_xyxy
from avdet.media.video_reader import Frames

__all__ = ["Crop", "clip_and_keep", "colour_transform", "crop", "flip", "random_crop", "transform_colours"]

LUMA = np.array([0.299, 0.587, 0.114])
PCA_STD = np.array([0.2175, 0.0188, 0.0045])
PCA_COLOURS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
MIN_VISIBLE_FRACTION = 0.2  # of a box's area; less of a person does not show the action


@dataclass(frozen=True)
class Crop:
    """A square in pixels of the frame."""

    left: int
    top: int
    size: int


def random_crop(height: int, width: int, size: int, rng: np.random.Generator) -> Crop:
    """A square anywhere in the frame."""
    return Crop(int(rng.integers(width - size + 1)), int(rng.integers(height - size + 1)), size)


def crop(frames: Frames, boxes_px: Tensor, square: Crop) -> tuple[Frames, Tensor]:
    """The square and the boxes in its coordinates, not clipped: `clip_and_keep` needs their full extent."""
    left, top, size = square.left, square.top, square.size
    return frames[:, top : top + size, left : left + size], shift_xyxy(boxes_px, -left, -top)


def flip(frames: Frames, boxes_px: Tensor) -> tuple[Frames, Tensor]:
    """Horizontal flip. OpenCV copies the frames: numpy's negative strides make later steps fifty times slower."""
    count, height, width, _ = frames.shape
    flipped = cv2.flip(frames.reshape(count * height, width, 3), 1)
    return np.asarray(flipped, np.uint8).reshape(frames.shape), flip_xyxy(boxes_px, width)


def colour_transform(jitter: float, pca_lighting: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A random affine colour transform (3, 4).

    Brightness, contrast (about mid grey) and saturation are scaled by factors from 1 - `jitter` to 1 + `jitter`; then
    colours shift along ImageNet's principal components with standard deviation `pca_lighting` (Krizhevsky et al. 2012,
    section 4.1).
    """
    brightness, contrast, saturation = 1 + jitter * rng.uniform(-1, 1, size=3)
    mix = saturation * np.eye(3) + (1 - saturation) * np.tile(LUMA, (3, 1))
    shift = 128 * (1 - contrast) + 255 * PCA_COLOURS @ (pca_lighting * rng.standard_normal(3) * PCA_STD)
    return np.column_stack([brightness * contrast * mix, shift]).astype(np.float32)


def transform_colours(frames: Frames, transform: NDArray[np.float32]) -> Frames:
    """Every pixel of every frame by one (3, 4) transform, clipped to 0..255."""
    count, height, width, _ = frames.shape
    pixels = frames.reshape(count * height, width, 3)
    return cv2.transform(pixels, transform).reshape(frames.shape)  # type: ignore[return-value]


def clip_and_keep(boxes_px: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Boxes clipped to the frame, and (N,) bool: whether at least MIN_VISIBLE_FRACTION of each is left."""
    clipped = clip_xyxy(boxes_px, width, height)
    return clipped, _area(clipped) >= MIN_VISIBLE_FRACTION * _area(boxes_px).clamp(min=1.0)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]).clamp(min=0) * (boxes[:, 3] - boxes[:, 1]).clamp(min=0)
