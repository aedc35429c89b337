"""PacketSource reads the packets of one stream from any time on; DecodePlan selects those that must be decoded."""

from __future__ import annotations

import bisect
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar, cast

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

from avdet.media.media_file import MAX_SETBACK_S, MediaFile
from avdet.media.read_watch import watched

__all__ = ["DecodePlan", "PacketSource", "PacketTimes"]

# How far before the requested time a seek aims if the previous one landed too late, in seconds.
_MARGINS_S = (0, 2, 8, 32, 128, 512, 2048, 8192)
_END_FOUND_S = 2.0


class PacketTimes(Protocol):
    """The display time and decode time of a packet in ticks; discarded packets are decoded but not shown."""

    @property
    def pts(self) -> int | None: ...
    @property
    def dts(self) -> int | None: ...
    @property
    def is_discard(self) -> bool: ...


S = TypeVar("S", bound=VideoStream | AudioStream)
P = TypeVar("P", bound=PacketTimes)


class PacketSource(Generic[S]):
    """One stream of an open file. A tick is the stream's own unit of time, in which times compare exactly."""

    def __init__(self, file: MediaFile, stream: S) -> None:
        assert stream.time_base is not None
        self.file = file
        self.tick_s = stream.time_base
        self.saw_untimed = False
        self._index = stream.index
        self.first_tick = self.tick_at(0.0) if stream.start_time is None else stream.start_time

    @property
    def stream(self) -> S:
        return cast(S, self.file.container.streams[self._index])

    def tick_at(self, time_s: float) -> int:
        """Returns the last tick at or before a time on the file's clock."""
        return math.floor((time_s + float(self.file.zero_s)) / float(self.tick_s))

    def time_of(self, tick: int) -> float:
        """Returns seconds on the file's clock."""
        return float(tick * self.tick_s - self.file.zero_s)

    def attempts(self, tick: int) -> Iterator[tuple[bool, Iterator[Packet[S]]]]:
        """Yields ways to reach `tick`, the fastest first: (from the start of the file?, packets in decode order).

        Each begins at a key frame at or before the tick; the last one begins at the start of the file. Take the next
        one if decoding does not begin early enough.
        """
        tick = max(tick, self.first_tick)
        empty_from: int | None = None
        for margin_s in _MARGINS_S:
            aim = max(tick - math.ceil(margin_s / self.tick_s), self.first_tick)
            found = self._from_keyframe(aim)
            if found is None:
                empty_from = aim
            elif empty_from is not None:  # the file ends between the two
                found, empty_from = self._last_before(empty_from, aim), None
            if found is not None:
                position = self._position_of(found[0])
                if position <= tick:
                    yield position <= self.first_tick, itertools.chain([found[0]], found[1])
            if aim == self.first_tick:
                break
        self.file.reopen()
        yield True, self._packets()

    def _from_keyframe(self, aim: int) -> tuple[Packet[S], Iterator[Packet[S]]] | None:
        """Seeks to `aim`: the key frame found and the packets after it; None if there is none."""
        try:
            with watched(self.file.path):
                self.file.container.seek(aim, stream=self.stream)
        except av.error.ExitError:
            raise self.file.no_progress() from None
        except av.FFmpegError:
            return None
        packets = self._packets()
        first = next((packet for packet in packets if packet.is_keyframe), None)
        return None if first is None else (first, packets)

    def _last_before(self, empty_from: int, aim: int) -> tuple[Packet[S], Iterator[Packet[S]]] | None:
        """Bisects for the last key frame: seeking finds one at `aim` and none from `empty_from` on."""
        while empty_from - aim > _END_FOUND_S / self.tick_s:
            middle = (aim + empty_from) // 2
            if self._from_keyframe(middle) is None:
                empty_from = middle
            else:
                aim = middle
        return self._from_keyframe(aim)

    def _position_of(self, packet: Packet[S]) -> int:
        """The display time of a packet if known, else its decode time, in ticks."""
        shown = packet.pts if self.file.has_display_times and packet.pts is not None else packet.dts
        return self.first_tick if shown is None else shown

    def _packets(self) -> Iterator[Packet[S]]:
        """All packets with data and a time, up to the end of the file or to where it is truncated.

        Raises DecodeError where the clock goes back.
        """
        decoded_at: int | None = None
        while True:
            try:
                for packet in cast("Iterator[Packet[S]]", self.file.packets(self.stream)):
                    if packet.size == 0:
                        continue
                    if packet.dts is None and packet.pts is None:
                        self.saw_untimed = True
                        continue
                    if packet.dts is not None:
                        setback_s = 0.0 if decoded_at is None else (decoded_at - packet.dts) * float(self.tick_s)
                        if setback_s > MAX_SETBACK_S:
                            raise self.file.goes_back(setback_s)
                        decoded_at = packet.dts
                    yield packet
            except IndexError:  # PyAV fails once at a stream that starts in mid-file, then continues
                continue
            except av.error.ExitError:
                raise self.file.no_progress() from None
            except av.FFmpegError:
                return
            return


class DecodePlan(Generic[P]):
    """Selects the packets to decode so that the frames on screen at some ticks can be shown: arithmetic, no I/O.

    A frame is on screen from its packet's display time until the next frame's. Packets are reordered, so the next
    display time is known only some packets later; the plan looks that far ahead. A frame that is neither shown nor
    referenced need not be decoded.

    ticks: ascending, at least one.
    shown_ticks: the display times of the shown frames among the packets yielded so far.
    reached_end: the packets ended before one whose decode time is after the last tick.
    """

    def __init__(self, ticks: Sequence[int]) -> None:
        self.shown_ticks: set[int] = set()
        self.reached_end = False
        self._ticks = list(ticks)
        self._display_times: list[int] = []  # ascending, from the first waiting packet on
        self._earliest: int | None = None

    def mark(self, packets: Iterable[P]) -> Iterator[tuple[P, bool]]:
        """Yields (packet, is shown) in decode order up to the last packet needed; each call starts anew."""
        self.shown_ticks.clear()
        self._display_times.clear()
        self._earliest = None
        self.reached_end = True
        waiting: deque[P] = deque()
        decoded_at: int | None = None
        for packet in packets:
            # Matroska's first packets have no decode time; no later packet is shown before a key frame.
            if packet.dts is not None or decoded_at is None:
                decoded_at = _pts(packet) if packet.dts is None else min(packet.dts, _pts(packet))
            self._add_display_time(packet)
            # No packet from here on is shown before it is decoded, so all display times up to `decoded_at` are known.
            while waiting and self._next_display_time(waiting[0]) <= decoded_at:
                yield self._marked(waiting.popleft())
            if self._earliest is not None and decoded_at > max(self._ticks[-1], self._earliest):
                self.reached_end = False
                break
            waiting.append(packet)
            self._drop_display_times_before(min(map(_pts, waiting)))
        marked = [self._marked(packet) for packet in waiting]
        while marked and not marked[-1][1]:
            marked.pop()
        yield from marked

    def _add_display_time(self, packet: P) -> None:
        if not packet.is_discard:
            pts = _pts(packet)
            bisect.insort(self._display_times, pts)
            self._earliest = pts if self._earliest is None else min(pts, self._earliest)

    def _drop_display_times_before(self, tick: int) -> None:
        del self._display_times[: bisect.bisect_left(self._display_times, tick)]

    def _next_display_time(self, packet: P) -> float:
        """The tick at which the next known frame replaces the packet's; infinity if none is known."""
        following = bisect.bisect_right(self._display_times, _pts(packet))
        return self._display_times[following] if following < len(self._display_times) else math.inf

    def _marked(self, packet: P) -> tuple[P, bool]:
        pts = _pts(packet)
        # The first frame is also shown at ticks before it.
        first = 0 if pts == self._earliest else bisect.bisect_left(self._ticks, pts)
        shown = not packet.is_discard and first < bisect.bisect_left(self._ticks, self._next_display_time(packet))
        if shown:
            self.shown_ticks.add(pts)
        return packet, shown


def _pts(packet: PacketTimes) -> int:
    tick = packet.pts if packet.pts is not None else packet.dts
    assert tick is not None
    return tick
