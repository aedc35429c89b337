"""Operations on boxes (N, 4) in xyxy: x1, y1 is the upper left corner, x2, y2 the lower right one."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_iou as iou_xyxy
from torchvision.ops import clip_boxes_to_image

__all__ = ["clip_xyxy", "flip_xyxy", "iou_xyxy", "paired_iou", "scale_xyxy", "shift_xyxy"]


def scale_xyxy(boxes: Tensor, x: float, y: float) -> Tensor:
    """Multiplies boxes by (x, y); a frame's width and height convert normalised boxes to pixels."""
    return boxes * boxes.new_tensor([x, y, x, y])


def shift_xyxy(boxes: Tensor, x: float, y: float) -> Tensor:
    """Translates boxes by (x, y)."""
    return boxes + boxes.new_tensor([x, y, x, y])


def flip_xyxy(boxes: Tensor, width: float) -> Tensor:
    """Mirrors boxes left to right in a frame of `width`: for 100, (10, 0, 30, 5) becomes (70, 0, 90, 5)."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack([width - x2, y1, width - x1, y2], dim=-1)


def clip_xyxy(boxes: Tensor, width: float, height: float) -> Tensor:
    """Clips boxes to a frame of `width` x `height`; a box outside becomes empty."""
    return clip_boxes_to_image(boxes, (height, width))


def paired_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """(N,) IoU of each box with the one in the same row of `others`; NaN for two boxes without area."""
    sides = torch.minimum(boxes[:, 2:], others[:, 2:]) - torch.maximum(boxes[:, :2], others[:, :2])
    overlap = sides.clamp(min=0).prod(dim=1)
    areas = [(each[:, 2:] - each[:, :2]).prod(dim=1) for each in (boxes, others)]
    return overlap / (areas[0] + areas[1] - overlap)
