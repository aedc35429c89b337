"""Packets of one stream of a file from any time on; pictures and sound build on it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Generic, TypeVar, cast

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

from avdet.media.media_file import MediaFile

__all__ = ["PacketSource"]

S = TypeVar("S", bound=VideoStream | AudioStream)

# How far before the wanted time a seek aims when the one before it landed too late, in seconds.
_MARGINS_S = (0, 2, 8, 32, 128, 512, 2048, 8192)
_END_FOUND_S = 2.0


class PacketSource(Generic[S]):
    """One stream of an open file. A tick is its own unit of time, in which frames are compared exactly."""

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
        """The last tick at or before a time on the file's clock."""
        return math.floor((time_s + float(self.file.zero_s)) / float(self.tick_s))

    def time_of(self, tick: int) -> float:
        """Seconds on the file's clock."""
        return float(tick * self.tick_s - self.file.zero_s)

    def attempts(self, tick: int) -> Iterator[tuple[bool, Iterator[Packet[S]]]]:
        """Ways to reach `tick`, from the cheapest to the safest: (from the file's start?, packets in decode order).

        Each begins at a keyframe at or before the tick, but the last, which begins where the file does. A caller who
        finds that one does not decode early enough takes the next.
        """
        tick = max(tick, self.first_tick)
        empty_from: int | None = None
        for margin_s in _MARGINS_S:
            aim = max(tick - math.ceil(margin_s / self.tick_s), self.first_tick)
            found = self._from_keyframe(aim)
            if found is None:
                empty_from = aim
            elif empty_from is not None:  # the file ends somewhere between
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
        """The keyframe that seeking to `aim` finds, and what follows; None where there is nothing."""
        try:
            self.file.container.seek(aim, stream=self.stream)
        except av.FFmpegError:
            return None
        packets = self._packets()
        first = next((packet for packet in packets if packet.is_keyframe), None)
        return None if first is None else (first, packets)

    def _last_before(self, empty_from: int, aim: int) -> tuple[Packet[S], Iterator[Packet[S]]] | None:
        """The last keyframe, where seeking finds one at `aim` and none from `empty_from` on: by halving."""
        while empty_from - aim > _END_FOUND_S / self.tick_s:
            middle = (aim + empty_from) // 2
            if self._from_keyframe(middle) is None:
                empty_from = middle
            else:
                aim = middle
        return self._from_keyframe(aim)

    def _position_of(self, packet: Packet[S]) -> int:
        """The tick that orders a packet: its display time, or where there is none its place in the file."""
        shown = packet.pts if self.file.has_display_times and packet.pts is not None else packet.dts
        return self.first_tick if shown is None else shown

    def _packets(self) -> Iterator[Packet[S]]:
        """All that have data and a time, up to the end of the file or to where it is cut off."""
        while True:
            try:
                for packet in cast("Iterator[Packet[S]]", self.file.container.demux(self.stream)):
                    if packet.size == 0:
                        continue
                    if packet.dts is None and packet.pts is None:
                        self.saw_untimed = True
                    else:
                        yield packet
            except IndexError:  # PyAV stumbles over a stream that appears in mid-file; behind it all goes on
                continue
            except av.FFmpegError:
                return
            return
