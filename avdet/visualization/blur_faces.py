"""Blurs faces without a face detector: the top of each person box."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.visualization.labelled_person import Box

__all__ = ["blur_faces"]

_CELLS = 5  # across a box: too few to recognise a face
_MARGIN = 0.1  # of the box's width, on the left, the right and above


def blur_faces(frame: NDArray[np.uint8], boxes: Sequence[Box]) -> None:
    """Blurs the top of each box of an RGB frame (H, W, 3), in place.

    The top is as high as the box is wide, at least a quarter of the box and at most all of it, so it contains the head
    of a person who stands, sits or fills the frame; not the head of one who lies or hangs head down. Nothing outside
    the boxes is blurred, so a person without a box stays recognisable.
    """
    height, width = frame.shape[:2]
    for box in boxes:
        x1, y1, x2, y2 = (side * scale for side, scale in zip(box, (width, height) * 2, strict=True))
        margin = _MARGIN * (x2 - x1)
        bottom = y1 + min(max(x2 - x1, (y2 - y1) / 4), y2 - y1)
        left, right = (int(np.clip(round(x), 0, width)) for x in (x1 - margin, x2 + margin))
        top, bottom = (int(np.clip(round(y), 0, height)) for y in (y1 - margin, bottom))
        region = frame[top:bottom, left:right]
        if region.size:
            cells = (_CELLS, max(round(_CELLS * (bottom - top) / (right - left)), 1))
            small = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
            region[:] = cv2.resize(small, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
