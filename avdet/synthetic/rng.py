"""Random numbers that are the same on every machine: `random.Random.random()` is the only source."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Rng:
    """A random stream seeded by words: equal words give equal streams.

    The words are part of the data set. Another word draws another data set.
    """

    def __init__(self, *words: object) -> None:
        self._random = random.Random("/".join(str(word) for word in words)).random

    def uniform(self, low: float, high: float) -> float:
        """Returns a number from [low, high)."""
        return low + (high - low) * self._random()

    def bernoulli(self, probability: float) -> bool:
        """Returns True with the given probability."""
        return self._random() < probability

    def integer(self, low: int, high: int) -> int:
        """Returns an integer from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def choice(self, items: Sequence[Item]) -> Item:
        """Returns one item; all are equally likely."""
        return items[self.integer(0, len(items) - 1)]

    def weighted_choice(self, weights: dict[Item, float]) -> Item:
        """Returns one key, with a probability proportional to its weight."""
        remaining = self._random() * sum(weights.values())
        for item, weight in weights.items():
            remaining -= weight
            if remaining < 0:
                return item
        return item

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Returns the items in random order."""
        rest = list(items)
        return [rest.pop(self.integer(0, len(rest) - 1)) for _ in items]

    def normal(self) -> float:
        """Returns an approximately standard normal number: the centred sum of twelve uniform ones."""
        return sum(self._random() for _ in range(12)) - 6.0


class ShuffledCycle(Generic[Item]):
    """Draws without replacement and reshuffles when empty, so that few draws already have the right shares."""

    def __init__(self, items: Sequence[Item], rng: Rng) -> None:
        self._items, self._rng = list(items), rng
        self._remaining: list[Item] = []

    def draw(self) -> Item:
        """Returns the next item of the current round."""
        if not self._remaining:
            self._remaining = self._rng.shuffled(self._items)
        return self._remaining.pop()
