"""Chance that falls alike on every machine: only `random()`, whose stream Python promises to keep, is asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Dice:
    """A stream of chance named by words: equal words give equal streams, anywhere."""

    def __init__(self, *words: object) -> None:
        self._random = random.Random("/".join(str(word) for word in words)).random

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.integer(0, len(items) - 1)]

    def weighted(self, weights: dict[Item, float]) -> Item:
        left = self._random() * sum(weights.values())
        for item, weight in weights.items():
            left -= weight
            if left < 0:
                return item
        return item

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        rest = list(items)
        return [rest.pop(self.integer(0, len(rest) - 1)) for _ in items]

    def bell(self) -> float:
        """Near to a standard normal number: twelve uniform ones summed, so that no logarithm is asked."""
        return sum(self._random() for _ in range(12)) - 6.0


class Deck(Generic[Item]):
    """Cards dealt in shuffled rounds: as even as can be, yet no card tells the next but at a round's end."""

    def __init__(self, cards: Sequence[Item], dice: Dice) -> None:
        self._cards, self._dice = list(cards), dice
        self._left: list[Item] = []

    def deal(self) -> Item:
        if not self._left:
            self._left = self._dice.shuffled(self._cards)
        return self._left.pop()
