"""Frames with bright boxes on dark noise: persons that a detector learns in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from avdet.people.person_detector import KeyframeImage
from avdet.structures import PersonBoxes

WIDTH, HEIGHT = 160, 120


def person_boxes(
    *boxes: Sequence[float], scores: Sequence[float] | None = None, ids: Sequence[int] | None = None
) -> PersonBoxes:
    return PersonBoxes.from_boxes(
        torch.tensor(boxes, dtype=torch.float32),
        None if scores is None else torch.tensor(scores),
        None if ids is None else torch.tensor(ids),
    )


def draw_frame(*boxes_px: tuple[int, int, int, int], seed: int = 0) -> NDArray[np.uint8]:
    """(120, 160, 3) with one bright rectangle per box."""
    rgb = np.random.default_rng(seed).integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8)
    for x1, y1, x2, y2 in boxes_px:
        rgb[y1:y2, x1:x2] = (230, 200, 180)
    return rgb


def scene(seed: int) -> tuple[KeyframeImage, PersonBoxes]:
    """One or two boxes at random positions, at most one in each half."""
    rng = np.random.default_rng(seed)
    boxes_px = []
    for left in (0, 80)[: int(rng.integers(1, 3))]:
        x, y = left + int(rng.integers(2, 40)), int(rng.integers(2, 40))
        boxes_px.append((x, y, x + int(rng.integers(24, 36)), y + int(rng.integers(60, 75))))
    boxes = [(x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT) for x1, y1, x2, y2 in boxes_px]
    return KeyframeImage("scene", float(seed), draw_frame(*boxes_px, seed=seed)), person_boxes(*boxes)


class BrightBoxDetector:
    """Detects connected bright regions."""

    needs_frames = True
    min_score = 0.5

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        self.batch_sizes.append(len(images))
        return [self._detect(image) for image in images]

    @staticmethod
    def _detect(image: KeyframeImage) -> PersonBoxes:
        height, width = image.rgb.shape[:2]
        regions, _ = ndimage.label(image.rgb.mean(axis=2) > 120)
        boxes = [
            (x.start / width, y.start / height, x.stop / width, y.stop / height)
            for y, x in ndimage.find_objects(regions)
            if (x.stop - x.start) * (y.stop - y.start) > 50
        ]
        return person_boxes(*boxes, scores=[0.9] * len(boxes))
