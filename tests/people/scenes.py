"""Pictures of bright boxes on a dark, noisy ground: people enough for a detector to learn in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from avdet.people.person_detector import Picture
from avdet.structures import PersonBoxes

WIDTH, HEIGHT = 160, 120


def people(
    *boxes: Sequence[float], scores: Sequence[float] | None = None, ids: Sequence[int] | None = None
) -> PersonBoxes:
    return PersonBoxes.from_boxes(
        torch.tensor(boxes, dtype=torch.float32),
        None if scores is None else torch.tensor(scores),
        None if ids is None else torch.tensor(ids),
    )


def drawn(*boxes_px: tuple[int, int, int, int], seed: int = 0) -> NDArray[np.uint8]:
    """(120, 160, 3) with a bright rectangle a box."""
    rgb = np.random.default_rng(seed).integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8)
    for x1, y1, x2, y2 in boxes_px:
        rgb[y1:y2, x1:x2] = (230, 200, 180)
    return rgb


def scene(seed: int) -> tuple[Picture, PersonBoxes]:
    """One or two boxes at places that the seed draws, one in each half."""
    rng = np.random.default_rng(seed)
    boxes_px = []
    for left in (0, 80)[: int(rng.integers(1, 3))]:
        x, y = left + int(rng.integers(2, 40)), int(rng.integers(2, 40))
        boxes_px.append((x, y, x + int(rng.integers(24, 36)), y + int(rng.integers(60, 75))))
    boxes = [(x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT) for x1, y1, x2, y2 in boxes_px]
    return Picture("scene", float(seed), drawn(*boxes_px, seed=seed)), people(*boxes)


class BrightBoxes:
    """A detector of the plainest kind: whatever is bright and in one piece."""

    needs_frames = True

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]:
        self.batch_sizes.append(len(pictures))
        return [self._find(picture) for picture in pictures]

    @staticmethod
    def _find(picture: Picture) -> PersonBoxes:
        height, width = picture.rgb.shape[:2]
        pieces, _ = ndimage.label(picture.rgb.mean(axis=2) > 120)
        boxes = [
            (x.start / width, y.start / height, x.stop / width, y.stop / height)
            for y, x in ndimage.find_objects(pieces)
            if (x.stop - x.start) * (y.stop - y.start) > 50
        ]
        return people(*boxes, scores=[0.9] * len(boxes))
