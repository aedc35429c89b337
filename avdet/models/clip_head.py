"""What happens in a whole clip (classification)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.avslowfast import Features
from avdet.models.classifier import Classifier


class ClipHead(nn.Module):
    """One vector a clip: the means of all pathways over time and space, concatenated.

    Fully convolutional: where a picture is larger than in training (`cells` x `cells` of res5), each window of that
    size gets logits of its own.
    """

    def __init__(self, classifier: Classifier, *, dim_audio: int, cells: int) -> None:
        super().__init__()
        self.classifier = classifier
        self.dim_audio = dim_audio
        self.cells = cells

    def forward(self, features: Features, batch: int) -> dict[str, Tensor]:
        """Logits (B, P, C) by class set, for P windows."""
        windows = [self._windows(pathway) for pathway in features.pictures]
        count = windows[0].shape[1] if windows else 1
        sound = features.sound.pool(batch, self.dim_audio)[:, None].expand(-1, count, -1)
        return self.classifier(torch.cat([*windows, sound], dim=2))

    def _windows(self, pathway: Tensor) -> Tensor:
        """(B, C, T, h, w) -> (B, P, C)"""
        maps = pathway.mean(dim=2)
        size = (min(self.cells, maps.shape[2]), min(self.cells, maps.shape[3]))
        return F.avg_pool2d(maps, size, stride=1).flatten(2).transpose(1, 2)
