"""Packets of one stream of a file from any time on: opening, the clock, seeking. Pictures and sound build on it."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

__all__ = ["DecodeError", "PacketSource", "default_stream", "duration_of", "open_container"]

S = TypeVar("S", bound=VideoStream | AudioStream)

# How far before the wanted time a seek aims when the one before it landed too late, in seconds.
_MARGINS_S = (0, 2, 8, 32, 128, 512, 2048)
_DEFAULT, _ATTACHED_PICTURE = 0x1, 0x400  # dispositions of a stream; the second is cover art
_GENERATE_PTS = 0x1  # a flag of the container


class DecodeError(ValueError):
    """A file that cannot be read, with the second at which it failed: None where it does not even open."""

    def __init__(self, path: Path, time_s: float | None, reason: str) -> None:
        super().__init__(path, time_s, reason)
        self.path, self.time_s, self.reason = path, time_s, reason

    def __str__(self) -> str:
        where = "cannot be opened" if self.time_s is None else f"cannot be read at {self.time_s:.2f} s"
        return f"{self.path} {where}: {self.reason}"


def open_container(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise DecodeError(path, None, error.strerror or str(error)) from error


def default_stream(streams: Sequence[S]) -> S | None:
    """The stream that players take: the first one marked as default, else the first; never cover art."""
    real = [s for s in streams if s.codec_context is not None and not int(s.disposition) & _ATTACHED_PICTURE]
    return next((s for s in real if int(s.disposition) & _DEFAULT), real[0] if real else None)


def duration_of(container: InputContainer, path: Path) -> float:
    """Seconds from the clock's zero to the end of the longest stream; reads every packet if no header says it."""
    if container.duration is not None:
        return container.duration / av.time_base
    zero_s, end_s = _start_of(container), Fraction(0)
    with open_container(path) as counted, contextlib.suppress(av.FFmpegError):
        for packet in counted.demux():
            if packet.pts is not None and packet.time_base is not None:
                end_s = max(end_s, (packet.pts + (packet.duration or 0)) * packet.time_base - zero_s)
    return float(end_s)


class PacketSource(Generic[S]):
    """One stream of an open file, and the file's clock.

    The clock's zero is the container's start time, which is what players show as 0:00 and what AVA's seconds count
    from; all streams share it, so that they stay in sync. A tick is the stream's own unit of time, in which frames
    are compared exactly.
    """

    def __init__(self, path: Path, pick: Callable[[InputContainer], S | None], *, missing: str) -> None:
        """`pick` chooses the stream; where it finds none the DecodeError says `missing`."""
        self.path = path
        self._pick = pick
        self._missing = missing
        self.container, self.stream = self._opened()
        assert self.stream.time_base is not None
        self.tick_s = self.stream.time_base
        self._zero_s = _start_of(self.container)
        self.first_tick = self.tick_at(0.0) if self.stream.start_time is None else self.stream.start_time
        self.has_display_times = _has_display_times(self.container)
        self.saw_untimed = False

    def tick_at(self, time_s: float) -> int:
        """The last tick at or before a time on the file's clock."""
        return math.floor((time_s + float(self._zero_s)) / float(self.tick_s))

    def time_of(self, tick: int) -> float:
        """Seconds on the file's clock."""
        return float(tick * self.tick_s - self._zero_s)

    def position_of(self, packet: Packet[S]) -> int | None:
        """The tick that orders a packet: its display time, or where there is none its place in the file."""
        return packet.pts if self.has_display_times and packet.pts is not None else packet.dts

    def attempts(self, tick: int) -> Iterator[tuple[bool, Iterator[Packet[S]]]]:
        """Ways to reach `tick`, from the cheapest to the safest: (from the file's start?, packets in decode order).

        Each begins at a keyframe at or before the tick, but the last, which begins where the file does. A caller who
        finds that one does not decode early enough takes the next.
        """
        tick = max(tick, self.first_tick)
        for margin_s in _MARGINS_S:
            aim = max(tick - math.ceil(margin_s / self.tick_s), self.first_tick)
            packets = self._packets_after_seek(aim)
            first = next((packet for packet in packets if packet.is_keyframe), None)
            position = None if first is None else self.position_of(first)
            if first is not None and position is not None and position <= tick:
                yield position <= self.first_tick, itertools.chain([first], packets)
            if aim == self.first_tick:
                break
        yield True, self._packets_from_start()

    def close(self) -> None:
        self.container.close()

    def _opened(self) -> tuple[InputContainer, S]:
        container = open_container(self.path)
        stream = self._pick(container)
        if stream is None:
            container.close()
            raise DecodeError(self.path, None, self._missing)
        stream.codec_context.thread_count = 1  # before the first packet: FFmpeg's threads do not survive a fork
        if not _has_display_times(container):
            container.flags &= ~_GENERATE_PTS
        return container, stream

    def _packets_after_seek(self, tick: int) -> Iterator[Packet[S]]:
        try:
            self.container.seek(tick, stream=self.stream)
        except av.FFmpegError:
            return iter(())
        return self._packets()

    def _packets_from_start(self) -> Iterator[Packet[S]]:
        """From a newly opened file: some cannot be sought to their start."""
        self.container.close()
        self.container, self.stream = self._opened()
        return self._packets()

    def _packets(self) -> Iterator[Packet[S]]:
        """All that have data and a time, up to the end of the file or to where it is cut off."""
        try:
            for packet in cast("Iterator[Packet[S]]", self.container.demux(self.stream)):
                if packet.size == 0:
                    continue
                if packet.dts is None and packet.pts is None:
                    self.saw_untimed = True
                else:
                    yield packet
        except av.FFmpegError:
            return


def _has_display_times(container: InputContainer) -> bool:
    """AVI stores none, and FFmpeg's guesses at them are wrong where frames are reordered."""
    return container.format.name != "avi"


def _start_of(container: InputContainer) -> Fraction:
    """The container's start time, which FFmpeg rounds to a microsecond, from the stream that starts there."""
    if container.start_time is None:
        return Fraction(0)
    start_s = Fraction(container.start_time, av.time_base)
    exact = [s.start_time * s.time_base for s in container.streams if s.start_time is not None and s.time_base]
    return min(exact, key=lambda stream_start_s: abs(stream_start_s - start_s), default=start_s)
