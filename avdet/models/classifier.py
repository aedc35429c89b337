"""The last layer: dropout and one linear layer a set of classes (EPIC's verbs and nouns share a trunk)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class Classifier(nn.Module):
    """Vectors (..., D) to logits (..., C) by the name of the class set."""

    def __init__(self, dim: int, classes: Mapping[str, int], *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.ModuleDict({name: nn.Linear(dim, count) for name, count in classes.items()})

    def forward(self, vectors: Tensor) -> dict[str, Tensor]:
        vectors = self.dropout(vectors)
        return {name: linear(vectors) for name, linear in self.linear.items()}
