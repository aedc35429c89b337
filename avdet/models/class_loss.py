"""How the classes of one set are learned and scored: each for itself, or exactly one of several."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.models.ops.sync_batch_norm import mean_count

__all__ = ["ClassLoss"]


class ClassLoss(nn.Module):
    """Sigmoid and binary cross-entropy for independent classes, softmax and cross-entropy for exclusive ones.

    exclusive: sets of class indices of which exactly one is true; classes in none of them are independent.
    positive_weights: (C,) a factor on the loss of each class where it is true; None is 1.
    """

    positive_weights: Tensor | None

    def __init__(
        self, num_classes: int, *, exclusive: Sequence[Sequence[int]] = (), positive_weights: Tensor | None = None
    ) -> None:
        super().__init__()
        taken = [index for members in exclusive for index in members]
        assert len(set(taken)) == len(taken), f"a class is in two exclusive sets: {exclusive}"
        self.num_classes = num_classes
        self.independent = [index for index in range(num_classes) if index not in taken]
        self.exclusive = [list(members) for members in exclusive]
        self.register_buffer("positive_weights", positive_weights, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C) logits; labels (N, C) multi-hot or (N,) indices. The mean over rows and independent classes, and for
        each exclusive set the mean over the rows of which it is known; 0 with a graph where there is nothing. In
        training with several processes the means are over the rows of all.
        """
        if labels.ndim == 1:
            labels = F.one_hot(labels, self.num_classes)
        labels = labels.to(logits.dtype)
        parts = [self._of_independent(logits, labels)]
        parts += [self._of_exclusive(logits[:, members], labels[:, members], members) for members in self.exclusive]
        return torch.stack(parts).sum()

    def scores(self, logits: Tensor) -> Tensor:
        """(..., C) probabilities."""
        scores = logits.sigmoid()
        for members in self.exclusive:
            scores[..., members] = logits[..., members].softmax(-1)
        return scores

    def _of_independent(self, logits: Tensor, labels: Tensor) -> Tensor:
        if not self.independent:
            return logits.sum() * 0
        weights = None if self.positive_weights is None else self.positive_weights[self.independent]
        losses = F.binary_cross_entropy_with_logits(
            logits[:, self.independent], labels[:, self.independent], pos_weight=weights, reduction="none"
        )
        return losses.sum() / (mean_count(len(logits), logits.device) * len(self.independent))

    def _of_exclusive(self, logits: Tensor, labels: Tensor, members: list[int]) -> Tensor:
        known = labels.sum(dim=1) > 0
        shares = labels[known] / labels[known].sum(dim=1, keepdim=True)
        weights = None if self.positive_weights is None else self.positive_weights[members]
        loss = F.cross_entropy(logits[known], shares, weight=weights, reduction="sum")
        return loss / mean_count(known.sum(), logits.device)
