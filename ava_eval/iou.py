"""Intersection over union of boxes, in the arithmetic of the originals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def paired_iou(boxes: npt.NDArray[Any], others: npt.NDArray[Any]) -> FloatArray:
    """(N,) IoU of boxes[i] with others[i], both (N, 4) x1 y1 x2 y2; 0 where both have no area.

    With float32 boxes, sides and areas are float32 while intersections are float64: MMAction2's mixture,
    kept because a rounding decides which side of the threshold a pair falls.
    """
    x1, y1, x2, y2 = boxes.T
    u1, v1, u2, v2 = others.T
    height = np.maximum(0.0, np.minimum(y2, v2) - np.maximum(y1, v1), dtype=np.float64)
    width = np.maximum(0.0, np.minimum(x2, u2) - np.maximum(x1, u1), dtype=np.float64)
    shared = height * width
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - shared
    return np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0)
