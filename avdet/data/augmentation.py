"""Training augmentation of a clip's frames and boxes: scale, crop, flip, colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from avdet.data.transforms import colour_transform, crop, flip, random_crop, transform_colours
from avdet.media.video_reader import Frames

__all__ = ["Augmentation"]


@dataclass(frozen=True)
class Augmentation:
    """short_side: range of the frames' short side in pixels, drawn as `scale` says; crop: side of a random square;
    flip: probability; colour_jitter, pca_lighting: see `colour_transform`.
    """

    short_side: tuple[int, int]
    scale: Literal["uniform", "inverse_uniform"]
    crop: int
    flip: float
    colour_jitter: float
    pca_lighting: float

    def draw_short_side(self, rng: np.random.Generator) -> int:
        """Short side in pixels; inverse_uniform draws its inverse uniformly, which favours small sides."""
        low, high = self.short_side
        if self.scale == "uniform":
            return int(rng.integers(low, high + 1))
        return round(1 / rng.uniform(1 / high, 1 / low))

    def apply(self, frames: Frames, boxes_px: Tensor, rng: np.random.Generator) -> tuple[Frames, Tensor]:
        """The same crop, flip and colours for all frames (T, H, W, 3) and boxes (N, 4); boxes are not clipped."""
        height, width = frames.shape[1:3]
        frames, boxes_px = crop(frames, boxes_px, random_crop(height, width, self.crop, rng))
        if rng.random() < self.flip:
            frames, boxes_px = flip(frames, boxes_px)
        return transform_colours(frames, colour_transform(self.colour_jitter, self.pca_lighting, rng)), boxes_px
