"""Frames as the input of an exported detector: resized, placed and normalised; and boxes back on the frame.

Sizes are (width, height) in pixels. Boxes are (N, 4) xyxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from avdet.boxes import scale_xyxy, shift_xyxy

__all__ = ["IMAGENET", "InputConvention", "Placement", "input_array", "place"]

PAD_VALUE = 114  # grey, of YOLOv5 and its successors
MAX_EDGE_RATIO = 1333 / 800  # DETR's longest edge by its shortest
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

Size = tuple[int, int]
Fit = Literal["letterbox", "corner", "stretch", "shortest_edge", "none"]


@dataclass(frozen=True)
class InputConvention:
    """How a family of detectors expects a frame.

    fit: letterbox and corner keep the frame's aspect ratio and pad on all sides or at the right and the bottom; stretch
    fills the input; with shortest_edge and none a dynamic input is as large as the scaled or the original frame.
    edge: of a dynamic input; with shortest_edge its shorter side.
    rescale, mean, std: a float input is (value * rescale - mean) / std.
    """

    fit: Fit = "letterbox"
    edge: int = 640
    bgr: bool = False
    rescale: float = 1 / 255
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Placement:
    """A frame of size `frame` scaled to `content`, whose upper left corner is at (left, top) of an input of `size`."""

    frame: Size
    size: Size
    content: Size
    left: int = 0
    top: int = 0

    def normalised(self, boxes_px: Tensor) -> Tensor:
        """Boxes in pixels of the input as fractions of the frame."""
        inside = shift_xyxy(boxes_px, -self.left, -self.top)
        return scale_xyxy(inside, 1 / self.content[0], 1 / self.content[1])


def place(frame: Size, fixed: Size | None, convention: InputConvention, *, edges: Size, stride: int = 32) -> Placement:
    """Where a frame is in the input.

    fixed: the input's size; None if it is dynamic: then it is as large as the frame needs within `edges`, and padded to
    multiples of `stride`.
    """
    width, height = frame
    if convention.fit in {"letterbox", "corner"}:
        scale = min((fixed or edges)[0] / width, (fixed or edges)[1] / height)
        content = (max(round(width * scale), 1), max(round(height * scale), 1))
        size = fixed or (_round_up(content[0], stride), _round_up(content[1], stride))
        if convention.fit == "corner":
            return Placement(frame, size, content)
        left, top = (round((whole - part) / 2 - 0.1) for whole, part in zip(size, content, strict=True))
        return Placement(frame, size, content, left, top)
    if fixed is None and convention.fit == "shortest_edge":
        scale = min(convention.edge / min(frame), convention.edge * MAX_EDGE_RATIO / max(frame))
        fixed = (round(width * scale), round(height * scale))
    size = fixed or (frame if convention.fit == "none" else edges)
    return Placement(frame, size, size)


def _round_up(length: int, stride: int) -> int:
    return -(-length // stride) * stride


def input_array(rgb: NDArray[np.uint8], placement: Placement, convention: InputConvention, dtype: str) -> NDArray[Any]:
    """(H, W, 3) of the input's size; values stay 0 to 255 if `dtype` is uint8."""
    content = rgb if placement.content == placement.frame else cv2.resize(rgb, placement.content)
    width, height = placement.size
    canvas = np.full((height, width, 3), PAD_VALUE, np.uint8)
    canvas[placement.top :, placement.left :][: placement.content[1], : placement.content[0]] = content
    if convention.bgr:
        canvas = canvas[:, :, ::-1]
    if dtype == "uint8":
        return canvas
    mean, std = np.array(convention.mean, np.float32), np.array(convention.std, np.float32)
    return ((canvas * np.float32(convention.rescale) - mean) / std).astype(dtype)
