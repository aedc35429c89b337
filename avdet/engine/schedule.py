"""The learning rate as a function of the epoch, fractions of an epoch included."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """A line from `warmup_rate` up to the plan's own rate, then the plan: a half cosine to 0, or a tenth at each step.

    >>> Schedule(rate=0.1, epochs=10, warmup_epochs=0, warmup_rate=0, step_epochs=(5,)).at(6)
    0.01
    """

    rate: float
    epochs: float
    warmup_epochs: float
    warmup_rate: float
    milestones: tuple[float, ...] = ()

    def at(self, epoch: float) -> float:
        if epoch < self.warmup_epochs:
            top = self._plan(self.warmup_epochs)
            return self.warmup_rate + (top - self.warmup_rate) * epoch / self.warmup_epochs
        return self._plan(epoch)

    def _plan(self, epoch: float) -> float:
        if self.milestones:
            return self.rate / 10 ** sum(epoch >= step for step in self.milestones)
        return self.rate * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))
