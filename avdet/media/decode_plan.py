"""Which packets have to be decoded so that the pictures at some ticks can be shown: arithmetic on timestamps."""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """What this needs of a packet: when it is shown, when it is decoded, and whether it is shown at all."""

    @property
    def pts(self) -> int | None: ...
    @property
    def dts(self) -> int | None: ...
    @property
    def is_discard(self) -> bool: ...


P = TypeVar("P", bound=Timed)


class Schedule(Generic[P]):
    """Marks packets, in decode order and up to the last that matters, by whether their picture is shown at a tick.

    A picture is on screen from its packet's display time until the next picture's. Packets are reordered, so which
    one is next is known only some packets later: so far this looks ahead. What is not shown and not referred to need
    not be decoded.

    ticks: ascending, at least one.
    wanted: the display times of what is shown, of the packets that have passed.
    reached_end: the packets ran out before one that is decoded after the last tick.
    """

    def __init__(self, ticks: Sequence[int]) -> None:
        self.wanted: set[int] = set()
        self.reached_end = False
        self._ticks = list(ticks)
        self._known: list[int] = []  # display times, ascending, none before the first packet that waits
        self._earliest: int | None = None

    def mark(self, packets: Iterable[P]) -> Iterator[tuple[P, bool]]:
        """Each call begins anew."""
        self.wanted.clear()
        self._known.clear()
        self._earliest = None
        self.reached_end = True
        waiting: deque[P] = deque()
        decoded_at: int | None = None
        for packet in packets:
            # Matroska does not say when its first packets are decoded; no later one is shown before a key frame.
            if packet.dts is not None or decoded_at is None:
                decoded_at = _pts(packet) if packet.dts is None else min(packet.dts, _pts(packet))
            self._learn(packet)
            # No packet from here on is shown before it is decoded: what is known up to `decoded_at` is all there is.
            while waiting and self._replaced_at(waiting[0]) <= decoded_at:
                yield self._marked(waiting.popleft())
            if self._earliest is not None and decoded_at > max(self._ticks[-1], self._earliest):
                self.reached_end = False
                break
            waiting.append(packet)
            self._forget(min(map(_pts, waiting)))
        marked = [self._marked(packet) for packet in waiting]
        while marked and not marked[-1][1]:
            marked.pop()
        yield from marked

    def _learn(self, packet: P) -> None:
        if not packet.is_discard:
            appears = _pts(packet)
            bisect.insort(self._known, appears)
            self._earliest = appears if self._earliest is None else min(appears, self._earliest)

    def _forget(self, tick: int) -> None:
        del self._known[: bisect.bisect_left(self._known, tick)]

    def _replaced_at(self, packet: P) -> float:
        """When the next known picture appears; infinity where none is known."""
        following = bisect.bisect_right(self._known, _pts(packet))
        return self._known[following] if following < len(self._known) else math.inf

    def _marked(self, packet: P) -> tuple[P, bool]:
        appears = _pts(packet)
        # Before the first picture the first picture is shown.
        first = 0 if appears == self._earliest else bisect.bisect_left(self._ticks, appears)
        shown = not packet.is_discard and first < bisect.bisect_left(self._ticks, self._replaced_at(packet))
        if shown:
            self.wanted.add(appears)
        return packet, shown


def _pts(packet: Timed) -> int:
    tick = packet.pts if packet.pts is not None else packet.dts
    assert tick is not None
    return tick
