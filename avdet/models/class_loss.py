"""The loss and the scores of one class set: independent (sigmoid) or exclusive (softmax) classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avdet.distributed import mean_count

__all__ = ["ClassLoss"]


class ClassLoss(nn.Module):
    """Sigmoid and binary cross-entropy for independent classes, softmax and cross-entropy for exclusive ones.

    exclusive: groups of class indices of which exactly one is true; classes in none of them are independent.
    positive_weights: (C,) factor on the loss of each class where it is true; None is 1.
    """

    positive_weights: Tensor | None

    def __init__(
        self, num_classes: int, *, exclusive: Sequence[Sequence[int]] = (), positive_weights: Tensor | None = None
    ) -> None:
        super().__init__()
        grouped = [index for group in exclusive for index in group]
        assert len(set(grouped)) == len(grouped), f"a class is in two exclusive groups: {exclusive}"
        self.num_classes = num_classes
        self.independent = [index for index in range(num_classes) if index not in grouped]
        self.exclusive = [list(group) for group in exclusive]
        self.register_buffer("positive_weights", positive_weights, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over rows and independent classes, plus each exclusive group's mean over the rows that have a label.

        logits: (N, C). labels: (N, C) multi-hot or (N,) indices. Without rows: 0 with a graph. In training with several
        processes the means are over all processes' rows.
        """
        if labels.ndim == 1:
            labels = F.one_hot(labels, self.num_classes)
        labels = labels.to(logits.dtype)
        losses = [self._independent_loss(logits, labels)]
        losses += [self._exclusive_loss(logits[:, group], labels[:, group], group) for group in self.exclusive]
        return torch.stack(losses).sum()

    def scores(self, logits: Tensor) -> Tensor:
        """(..., C) probabilities."""
        scores = logits.sigmoid()
        for group in self.exclusive:
            scores[..., group] = logits[..., group].softmax(-1)
        return scores

    def _independent_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if not self.independent:
            return logits.sum() * 0
        weights = None if self.positive_weights is None else self.positive_weights[self.independent]
        losses = F.binary_cross_entropy_with_logits(
            logits[:, self.independent], labels[:, self.independent], pos_weight=weights, reduction="none"
        )
        return losses.sum() / (mean_count(len(logits), logits.device) * len(self.independent))

    def _exclusive_loss(self, logits: Tensor, labels: Tensor, group: list[int]) -> Tensor:
        labelled = labels.sum(dim=1) > 0
        targets = labels[labelled] / labels[labelled].sum(dim=1, keepdim=True)
        weights = None if self.positive_weights is None else self.positive_weights[group]
        loss = F.cross_entropy(logits[labelled], targets, weight=weights, reduction="sum")
        return loss / mean_count(labelled.sum(), logits.device)
