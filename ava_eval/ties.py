"""Orders of tied detections: random ones, and that of the original scripts.

numpy's default sort is unstable: where scores tie, its result depends on the whole array. An original's number is
repeated exactly only on an array of the same order, with the same numpy on the same kind of processor.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.grouping import index_in_run, stable_argsort

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


def num_draws(num_rows: int, *, reselects: bool = False) -> int:
    """Number of random matches to average over, or of random choices of the rows at the limit, which take longer."""
    drawn_rows = _DRAWN_ROWS // 4 if reselects else _DRAWN_ROWS
    return min(max(drawn_rows // max(1, num_rows), 1), MAX_DRAWS)


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


def draw_tied_rows(keyframe: IntArray, num_above: IntArray, k: int, table: pd.DataFrame, ties: TieRule) -> BoolArray:
    """(N,) mask of the tied rows that fill the k places of their keyframe, for one random order of its rows.

    The official script keeps a heap of k rows. A row that ties with the smallest of a full heap is left out, and one
    of a higher score replaces the smallest (score, action_id, y1, x1, y2, x2). So the tied rows among the first k
    that reach the k-th score are in the heap, and the largest of them stay. `num_above` (N,) counts the rows of a
    higher score, and `table` holds the rows. The result depends on the keyframes' numbers, but not on the order of
    the rows. Draws come in pairs: the second is of the reverse order, which makes their mean more exact.
    """
    rng = np.random.default_rng(ties.draw // 2)
    order = np.lexsort((*(-table[name].to_numpy() for name in ("x2", "y2", "x1", "y1", "action_id")), keyframe))
    sizes = np.bincount(keyframe)
    sizes = sizes[sizes > 0]
    starts = np.cumsum(sizes) - sizes
    above = num_above[order][starts]
    num_rows = above + sizes
    place = np.empty(len(order), dtype=np.int64)  # in the order of the keyframe's rows
    place[np.lexsort((rng.random(len(order)), keyframe[order]))] = np.flatnonzero(random_subsets(num_rows, sizes, rng))
    place -= np.repeat(np.cumsum(num_rows) - num_rows, sizes)
    if ties.draw % 2:
        place = np.repeat(num_rows - 1, sizes) - place
    is_drawn = place < k
    num_drawn = np.add.reduceat(is_drawn, starts, dtype=np.int64)
    is_kept = np.zeros(len(keyframe), dtype=bool)
    is_kept[order[is_drawn][index_in_run(num_drawn) < np.repeat(k - above, num_drawn)]] = True
    return is_kept


def keyframe_order(keyframe: IntArray, listed: IntArray) -> IntArray:
    """Rows by keyframe in the order in which `listed` first names the keyframes; otherwise in their own order."""
    return stable_argsort(_first_index(keyframe, listed)[keyframe])


def score_order(keyframe: IntArray, score: npt.NDArray[Any], listed: IntArray) -> IntArray:
    """As `keyframe_order`, and by descending score within a keyframe."""
    return np.lexsort((-score, _first_index(keyframe, listed)[keyframe]))


def _first_index(keyframe: IntArray, listed: IntArray) -> IntArray:
    """(keyframes,) index of each keyframe's first occurrence in `listed`."""
    size = max(int(keyframe.max(initial=0)), int(listed.max(initial=0))) + 1
    first = np.full(size, len(listed))
    first[listed[::-1]] = np.arange(len(listed))[::-1]
    return first


def heap_order(keyframe: IntArray, columns: Sequence[npt.NDArray[Any]], limit: int = 0) -> IntArray:
    """Rows as the official script's `read_csv` keeps and orders them: in a heap per keyframe, of `limit` rows.

    `columns` are the score, the action id and y1, x1, y2, x2. Keyframes come in the order of their first rows.
    """
    if len(keyframe) == 0:
        return np.zeros(0, dtype=np.int64)
    by_keyframe = keyframe_order(keyframe, keyframe)
    rows = list(zip(*(column[by_keyframe].tolist() for column in columns), strict=True))
    ends = [*(np.flatnonzero(np.diff(keyframe[by_keyframe])) + 1).tolist(), len(rows)]
    order: list[int] = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        kept = _heap(rows[start:end], limit)
        indices = defaultdict(list)  # identical rows are interchangeable
        for index in range(end - 1, start - 1, -1):
            indices[rows[index]].append(index)
        order += [indices[row].pop() for row in kept]
    return by_keyframe[np.array(order, dtype=np.int64)]


def _heap(rows: Sequence[tuple[float, ...]], limit: int) -> list[tuple[float, ...]]:
    entries: list[tuple[float, ...]] = []
    for row in rows:
        if limit < 1 or len(entries) < limit:
            heapq.heappush(entries, row)
        elif row[0] > entries[0][0]:
            heapq.heapreplace(entries, row)
    return sorted(entries, key=lambda row: -row[0])
