"""Anti-aliased lines and shapes with subpixel coordinates on RGB uint8 frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]  # (H, W, 3) RGB
Point = tuple[float, float]
Colour = tuple[int, int, int]
_SHIFT = 4
_ONE = 1 << _SHIFT


class Canvas:
    """Draws on a frame in place; `offset` (pixels) is added to every point."""

    def __init__(self, frame: Frame, offset: Point = (0.0, 0.0)) -> None:
        self.frame, self._dx, self._dy = frame, offset[0], offset[1]

    def _fixed(self, point: Point) -> tuple[int, int]:
        return round((point[0] + self._dx) * _ONE), round((point[1] + self._dy) * _ONE)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draws a polyline with round ends."""
        fixed = [self._fixed(point) for point in points]
        for start, end in pairwise(fixed):
            cv2.line(self.frame, start, end, colour, max(round(width), 1), cv2.LINE_AA, _SHIFT)

    def circle(self, centre: Point, radius: float, colour: Colour) -> None:
        """Draws a filled circle."""
        cv2.circle(self.frame, self._fixed(centre), round(radius * _ONE), colour, -1, cv2.LINE_AA, _SHIFT)

    def ellipse(
        self, centre: Point, radii: Point, colour: Colour, angles_deg: tuple[float, float] = (0.0, 360.0)
    ) -> None:
        """Draws a filled ellipse or its sector between two angles (clockwise from the right)."""
        axes = (max(round(radii[0] * _ONE), 1), max(round(radii[1] * _ONE), 1))
        cv2.ellipse(self.frame, self._fixed(centre), axes, 0.0, *angles_deg, colour, -1, cv2.LINE_AA, _SHIFT)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Draws a filled convex polygon."""
        fixed = np.array([self._fixed(point) for point in points], np.int32)
        cv2.fillConvexPoly(self.frame, fixed, colour, cv2.LINE_AA, _SHIFT)

    def rectangle(self, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
        """Draws a filled rectangle."""
        self.polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], colour)

    def region(self, x1: float, y1: float, x2: float, y2: float) -> Frame:
        """Returns a writable view of the frame between two corners."""
        height, width = self.frame.shape[:2]
        left, right = (min(max(round(x + self._dx), 0), width) for x in (x1, x2))
        top, bottom = (min(max(round(y + self._dy), 0), height) for y in (y1, y2))
        return self.frame[top:bottom, left:right]


def shaded(colour: Colour, factor: float) -> Colour:
    """Returns the colour darkened (factor below 1) or lightened (above 1)."""
    red, green, blue = colour
    return min(round(red * factor), 255), min(round(green * factor), 255), min(round(blue * factor), 255)
