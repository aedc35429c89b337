"""Which actions each person does (the detection head of SlowFast, arXiv 1812.03982, 5.1, with sound joined)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from avdet.models.avslowfast import Features
from avdet.models.classifier import Classifier


class RoIHead(nn.Module):
    """One vector a box: each visual pathway's mean over time, RoIAlign, spatial max; and the clip's pooled sound.

    roi_align: (features (B, C, h, w), rois (N, 5) of clip and xyxy in pixels) -> (N, C, r, r).
    dim_audio: 0 where the model does not hear.
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
        vectors = [self._crop(pathway, rois) for pathway in features.pictures]
        sound = features.sound.pool(batch, self.dim_audio)[box_clip]
        return self.classifier(torch.cat([*vectors, sound], dim=1))

    def _crop(self, pathway: Tensor, rois: Tensor) -> Tensor:
        maps = pathway.mean(dim=2).float()  # RoIAlign knows no bfloat16 on CPUs
        return self.roi_align(maps, rois).amax(dim=(2, 3))
