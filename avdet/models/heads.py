"""The heads: actions of each person box (detection) or of a whole clip (classification).

Axes: visual features (B, C, T, h, w) of each pathway; N boxes; P windows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import RoIAlign

from avdet.models.avslowfast import Features

__all__ = ["Classifier", "ClipHead", "RoIHead", "build_roi_align"]

logger = logging.getLogger(__name__)


class Classifier(nn.Module):
    """Dropout and a linear layer per class set (EPIC has two, verbs and nouns): (..., D) -> logits (..., C) by name."""

    def __init__(self, dim: int, classes: Mapping[str, int], *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.ModuleDict({name: nn.Linear(dim, count) for name, count in classes.items()})

    def forward(self, vectors: Tensor) -> dict[str, Tensor]:
        vectors = self.dropout(vectors)
        return {name: linear(vectors) for name, linear in self.linear.items()}


class ClipHead(nn.Module):
    """Global average pooling of each pathway, concatenation and the classifier (paper, table 1).

    It is fully convolutional: for frames larger than in training, each window of `cells` x `cells` cells of res5 (the
    training size) gets logits of its own.
    """

    def __init__(self, classifier: Classifier, *, dim_audio: int, cells: int) -> None:
        super().__init__()
        self.classifier = classifier
        self.dim_audio = dim_audio
        self.cells = cells

    def forward(self, features: Features, batch: int) -> dict[str, Tensor]:
        """Logits (B, P, C) by class set."""
        windows = [self._windows(pathway) for pathway in features.visual]
        count = windows[0].shape[1] if windows else 1
        audio = features.audio.pool(batch, self.dim_audio)[:, None].expand(-1, count, -1)
        return self.classifier(torch.cat([*windows, audio], dim=2))

    def _windows(self, pathway: Tensor) -> Tensor:
        """(B, C, T, h, w) -> (B, P, C)"""
        maps = pathway.mean(dim=2)
        size = (min(self.cells, maps.shape[2]), min(self.cells, maps.shape[3]))
        return F.avg_pool2d(maps, size, stride=1).flatten(2).transpose(1, 2)


class RoIHead(nn.Module):
    """SlowFast's detection head (arXiv 1812.03982, 5.1): for each box and visual pathway the mean over time, RoIAlign
    and a spatial max; then the classifier. The pooled audio of the box's clip is concatenated, which is ours.

    roi_align: (features (B, C, h, w), rois (N, 5) of clip index and xyxy in pixels) -> (N, C, r, r).
    dim_audio: 0 for a video-only model.
    """

    def __init__(
        self, roi_align: Callable[[Tensor, Tensor], Tensor], classifier: Classifier, *, dim_audio: int
    ) -> None:
        super().__init__()
        self.roi_align = roi_align
        self.classifier = classifier
        self.dim_audio = dim_audio

    def forward(self, features: Features, batch: int, boxes_px: Tensor, box_clip: Tensor) -> dict[str, Tensor]:
        """Logits (N, C) by class set."""
        rois = torch.cat([box_clip[:, None].to(boxes_px.dtype), boxes_px], dim=1).float()
        vectors = [self._crop(pathway, rois) for pathway in features.visual]
        audio = features.audio.pool(batch, self.dim_audio)[box_clip]
        return self.classifier(torch.cat([*vectors, audio], dim=1))

    def _crop(self, pathway: Tensor, rois: Tensor) -> Tensor:
        maps = pathway.mean(dim=2).float()  # RoIAlign has no bfloat16 on CPUs
        return self.roi_align(maps, rois).amax(dim=(2, 3))


def build_roi_align(resolution: int, scale: float, *, aligned: bool = True) -> Callable[[Tensor, Tensor], Tensor]:
    """Detectron2's ROIAlign where it is installed, else torchvision's, which is the same operator.

    aligned: boxes are shifted by half a cell, so that they meet the centres of the cells.
    """
    try:
        from detectron2.layers import ROIAlign  # noqa: PLC0415  (Detectron2 is optional)
    except ImportError:
        logger.info("RoIAlign is torchvision's (Detectron2 is not installed)")
        return RoIAlign((resolution, resolution), scale, sampling_ratio=0, aligned=aligned)
    logger.info("RoIAlign is Detectron2's")
    return ROIAlign((resolution, resolution), scale, sampling_ratio=0, aligned=aligned)
