"""Orders of tied detections: which true positives of a tie rank first, and how many orders are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Ties = Literal["expected", "worst", "best", "file"]
TIES: tuple[Ties, ...] = get_args(Ties)
MAX_DRAWS = 16
_MAX_ORDERS, _MIN_ORDERS = 256, 8
_ORDERED_ROWS = 4_000_000  # rows of all orders together, as long as there are _MIN_ORDERS
_DRAWN_ROWS = 1_600_000  # rows of all draws together, as long as there is one


@dataclass(frozen=True)
class TieRule:
    """How detections of equal score are ranked, and which of the seeded draws this is, of how many.

    "worst" ranks the false positives of a tie first, "best" its true positives, "file" keeps the order of numpy's
    default sort, reversed, and "expected" averages AP over random orders: `orders`, or by default `num_orders`.
    """

    name: Ties = "expected"
    draw: int = 0
    draws: int = 1
    orders: int | None = None

    def __post_init__(self) -> None:
        if self.name not in TIES:
            raise ValueError(f"ties is {self.name!r}; choose one of {', '.join(TIES)}.")

    def places(self, size: int) -> FloatArray:
        """(size,) random numbers from 0 to 1 of this draw. Those of all draws are spread evenly for each index."""
        rng = np.random.default_rng(0)
        offset = rng.random((size, 1))
        strata = np.argsort(rng.random((size, self.draws)), axis=1)[:, self.draw]
        return (offset[:, 0] + strata / self.draws) % 1.0

    def rng(self, *key: int) -> np.random.Generator:
        """The generator of this draw for one purpose, such as one class."""
        return np.random.default_rng([self.draw, *key])


EXPECTED = TieRule()


def num_orders(num_rows: int) -> int:
    """Number of random orders to average over: fewer for large tables, because their AP varies less."""
    return min(max(_ORDERED_ROWS // max(1, num_rows), _MIN_ORDERS), _MAX_ORDERS)


def num_draws(num_rows: int) -> int:
    """Number of random choices of rows at the limit per keyframe, or of matches, to average over."""
    return min(max(_DRAWN_ROWS // max(1, num_rows), 1), MAX_DRAWS)


def true_positive_ranks(
    score: npt.NDArray[Any], is_tp: BoolArray, ties: Ties, orders: int, rng: np.random.Generator
) -> IntArray:
    """(orders or 1, true positives) ascending ranks, from 1, of the true positives of one class.

    `score` is in descending order. Under "expected", each row is one random order of the tied detections, and the
    second half of the rows mirrors the first, which makes their mean more exact. Only the numbers of true and false
    positives of a tie count, so the result does not depend on the order of its rows.
    """
    first, size, num_tp = tie_groups(score, is_tp)
    if ties == "file":
        return np.flatnonzero(is_tp)[None] + 1
    if ties != "expected":
        start = first + (size - num_tp if ties == "worst" else 0)
        return np.repeat(start - np.cumsum(num_tp) + num_tp, num_tp)[None] + np.arange(1, int(num_tp.sum()) + 1)
    is_mixed = (num_tp > 0) & (num_tp < size)
    if not is_mixed.any():
        return np.flatnonzero(is_tp)[None] + 1
    half, in_mixed = -(-orders // 2), np.repeat(is_mixed, size)
    chosen = random_subsets(np.tile(size[is_mixed], half), np.tile(num_tp[is_mixed], half), rng)
    columns = np.flatnonzero(chosen).reshape(half, -1) - np.arange(half)[:, None] * int(in_mixed.sum())
    varying = np.flatnonzero(in_mixed)[columns]
    mirrored = np.repeat((2 * first + size - 1)[is_mixed], num_tp[is_mixed]) - varying
    fixed = np.broadcast_to(np.flatnonzero(is_tp & ~in_mixed), (2 * half, int(np.sum(is_tp & ~in_mixed))))
    ranks = np.concatenate([fixed, np.concatenate([varying, mirrored])], axis=1)
    ranks.sort(axis=1)
    return ranks + 1


def tie_groups(score: npt.NDArray[Any], is_tp: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """First index, number of rows and number of true positives of each run of equal scores."""
    first = np.flatnonzero(np.append(True, score[1:] != score[:-1])[: len(score)])
    size = np.diff(first, append=len(score))
    num_tp = np.add.reduceat(is_tp, first, dtype=np.int64) if len(first) else np.zeros(0, dtype=np.int64)
    return first, size, num_tp


def random_subsets(sizes: IntArray, counts: IntArray, rng: np.random.Generator) -> BoolArray:
    """(sum of sizes,) mask of `counts` members of each run, every subset with the same probability."""
    ends = np.cumsum(sizes)
    starts = ends - sizes
    is_dense = 2 * counts > sizes  # the complement is drawn, so that few draws repeat
    missing = np.where(is_dense, sizes - counts, counts)
    mask = np.zeros(int(sizes.sum()), dtype=bool)
    while (num_drawn := int(missing.sum())) > 0:
        run = np.repeat(np.arange(len(sizes)), missing)
        drawn = np.unique(starts[run] + (rng.random(num_drawn) * sizes[run]).astype(np.int64))
        drawn = drawn[~mask[drawn]]
        mask[drawn] = True
        missing = missing - np.bincount(np.searchsorted(ends, drawn, side="right"), minlength=len(sizes))
    return mask ^ np.repeat(is_dense, sizes)
