"""Antialiased strokes and shapes at fractions of a pixel, on an RGB uint8 picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Point = tuple[float, float]
Colour = tuple[int, int, int]
_SHIFT = 4
_ONE = 1 << _SHIFT


class Canvas:
    """Draws on a picture in place; `offset` (pixels) is added to every point: the camera's shake."""

    def __init__(self, picture: Picture, offset: Point = (0.0, 0.0)) -> None:
        self.picture, self._dx, self._dy = picture, offset[0], offset[1]

    def _fixed(self, point: Point) -> tuple[int, int]:
        return round((point[0] + self._dx) * _ONE), round((point[1] + self._dy) * _ONE)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Joined strokes with round ends."""
        fixed = [self._fixed(point) for point in points]
        for start, end in pairwise(fixed):
            cv2.line(self.picture, start, end, colour, max(round(width), 1), cv2.LINE_AA, _SHIFT)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        cv2.circle(self.picture, self._fixed(centre), round(radius * _ONE), colour, -1, cv2.LINE_AA, _SHIFT)

    def oval(self, centre: Point, radii: Point, colour: Colour, angles_deg: tuple[float, float] = (0.0, 360.0)) -> None:
        """A filled ellipse, or the sector of one (angles clockwise from the right)."""
        axes = (max(round(radii[0] * _ONE), 1), max(round(radii[1] * _ONE), 1))
        cv2.ellipse(
            self.picture, self._fixed(centre), axes, 0.0, *angles_deg, colour, -1, cv2.LINE_AA, _SHIFT
        )  # fmt: skip

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled convex polygon."""
        fixed = np.array([self._fixed(point) for point in points], np.int32)
        cv2.fillConvexPoly(self.picture, fixed, colour, cv2.LINE_AA, _SHIFT)

    def window(self, x1: float, y1: float, x2: float, y2: float) -> Picture:
        """The part of the picture between two corners, as a view to be changed in place."""
        height, width = self.picture.shape[:2]
        left, right = (min(max(round(x + self._dx), 0), width) for x in (x1, x2))
        top, bottom = (min(max(round(y + self._dy), 0), height) for y in (y1, y2))
        return self.picture[top:bottom, left:right]
