"""Prefetched items are the items in order; a thread computes a bounded number ahead and always ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from avdet.overlap import StageTimes, prefetch, prefetch_chunks


class Numbers:
    """Yields 0, 1, ..; counts what was computed, and fails at `error_at`."""

    def __init__(self, count: int, error_at: int | None = None) -> None:
        self.computed, self.closed = 0, False
        self.threads: set[int] = set()
        self._count, self._error_at = count, error_at

    def items(self) -> Generator[int, None, None]:
        try:
            for number in range(self._count):
                self.threads.add(threading.get_ident())
                if number == self._error_at:
                    raise ValueError(f"no {number}")
                self.computed += 1
                yield number
        finally:
            self.closed = True
            self.threads.add(threading.get_ident())


@pytest.mark.parametrize("size", [1, 3, 20])
def test_yields_all_items_in_order_from_one_other_thread(size: int) -> None:
    numbers = Numbers(10)
    assert list(prefetch(numbers.items(), size)) == list(range(10))
    assert numbers.closed and len(numbers.threads) == 1 and threading.get_ident() not in numbers.threads


@pytest.mark.parametrize("size", [1, 3])
def test_computes_at_most_size_items_ahead(size: int) -> None:
    numbers = Numbers(10)
    ahead = prefetch(numbers.items(), size)
    assert next(ahead) == 0
    deadline = time.monotonic() + 10
    while numbers.computed < 1 + size and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)  # one more would be computed in this time
    assert numbers.computed == 1 + size
    ahead.close()


def test_chunks_have_the_given_sizes_and_the_next_is_computed_ahead() -> None:
    numbers = Numbers(6)
    assert list(prefetch_chunks(numbers.items(), [2, 3, 1])) == [[0, 1], [2, 3, 4], [5]]
    assert numbers.closed
    assert list(prefetch_chunks(Numbers(0).items(), [])) == []
    stopped = Numbers(100)
    chunks = prefetch_chunks(stopped.items(), [2] * 50)
    assert next(chunks) == [0, 1]
    chunks.close()
    assert stopped.closed and stopped.computed <= 5


def test_an_error_follows_the_items_before_it() -> None:
    numbers = Numbers(10, error_at=3)
    seen = []
    with pytest.raises(ValueError, match="no 3"):
        for number in prefetch(numbers.items(), 8):
            seen.append(number)
    assert seen == [0, 1, 2] and numbers.closed


def test_stopping_closes_the_items_and_ends_every_thread_of_a_chain() -> None:
    before = threading.active_count()
    numbers = Numbers(1000)

    def squares() -> Generator[int, None, None]:
        inner = prefetch(numbers.items(), 2)
        try:
            for number in inner:
                yield number**2
        finally:
            inner.close()

    chain = prefetch(squares(), 2)
    assert [next(chain), next(chain), next(chain)] == [0, 1, 4]
    chain.close()
    assert numbers.closed and numbers.computed < 10
    assert threading.active_count() == before


def test_an_interrupt_of_the_caller_ends_the_thread() -> None:
    before = threading.active_count()
    numbers = Numbers(1000)
    with pytest.raises(KeyboardInterrupt):
        ahead = prefetch(numbers.items())
        next(ahead)
        ahead.throw(KeyboardInterrupt())
    assert numbers.closed and threading.active_count() == before


def test_stage_times_are_shares_of_the_elapsed_time() -> None:
    times = StageTimes()
    for _ in times.each("decode", range(3)):
        with times("actions"):
            time.sleep(0.01)
    assert list(times.busy_s) == ["decode", "actions"]
    assert times.busy_s["decode"] < 0.03 <= times.busy_s["actions"]
    decode, actions = str(times).split(", ")
    assert decode.startswith("decode ") and actions.startswith("actions ") and actions.endswith(" %")
    assert int(actions.split()[1]) > int(decode.split()[1])
