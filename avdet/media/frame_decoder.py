"""Decoded pictures of a stream with the time at which each appears, from any time on, decoding no more than needed."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avdet.media.decode_plan import Schedule
from avdet.media.media_file import DecodeError
from avdet.media.packets import PacketSource

# A decoder told to skip what no other picture refers to gives the same bits for all the others.
_SKIPPING_CODECS = {"h264", "hevc", "mpeg4", "mpeg2video"}
_MAX_RATE = 480
_LONG_GAP_S = 5.0  # seeking costs less than decoding what lies in between


@dataclass(frozen=True)
class Picture:
    """A decoded frame, on screen from `tick` on.

    last: it stays, because none was decoded after it. past_end: its time on screen is over.
    """

    frame: VideoFrame
    tick: int
    last: bool = False
    past_end: bool = False


class FrameDecoder:
    """Pictures of one video stream, in the order in which they are shown."""

    def __init__(self, source: PacketSource[VideoStream]) -> None:
        self._source = source
        codec = source.stream.codec_context.codec.name
        self._can_skip = source.file.has_display_times and codec in _SKIPPING_CODECS
        self.frame_ticks = max(round(1 / (frame_rate(source.stream) * source.tick_s)), 1)
        self._delay_ticks = 0 if source.file.has_display_times else self._measured_delay()

    def shown_at(self, ticks: Sequence[int]) -> Iterator[Picture]:
        """For each of the ascending ticks the picture on screen: the last one that appears at or before it.

        Before the first picture that is the first, past the end the last one, marked so. Far-apart ticks are sought
        one by one; between near ones everything is decoded once.
        """
        gap = math.ceil(_LONG_GAP_S / self._source.tick_s)
        starts = [0, *(k for k in range(1, len(ticks)) if ticks[k] - ticks[k - 1] > gap), len(ticks)]
        for start, end in itertools.pairwise(starts):
            yield from self._shown_in(ticks[start:end], skip=self._can_skip)

    def from_tick(self, tick: int) -> Iterator[Picture]:
        """The picture on screen at a tick, and all that follow to the end of the file."""
        current: Picture | None = None
        for picture in self._reach(tick, None):
            if current is None or tick >= picture.tick >= current.tick:
                current = picture
            elif picture.tick > current.tick:
                yield current
                current = picture
        if current is not None:
            yield current

    def _shown_in(self, ticks: Sequence[int], *, skip: bool) -> Iterator[Picture]:
        schedule: Schedule[Packet[VideoStream]] | None = Schedule(ticks) if skip else None
        shown = _shown(self._reach(ticks[0], schedule), ticks)
        for done, picture in enumerate(shown):
            if schedule and picture.tick not in schedule.wanted:
                # The picture that should be here is broken, and the one before it may have been skipped.
                yield from self._shown_in(ticks[done:], skip=False)
                return
            ended = schedule is None or schedule.reached_end
            end_tick = picture.tick + (picture.frame.duration or self.frame_ticks)
            yield replace(picture, past_end=picture.last and ended and ticks[done] >= end_tick)

    def _reach(self, tick: int, schedule: Schedule[Packet[VideoStream]] | None) -> Iterator[Picture]:
        """Pictures from one that is shown at or before the tick, or from the first; at least one.

        Where none that the schedule wants can be decoded (a recording begins between key frames), all are tried.
        """
        for from_start, packets in self._source.attempts(tick):
            marked = schedule.mark(packets) if schedule else ((packet, True) for packet in packets)
            pictures = self._decode(marked)
            first = next(pictures, None)
            if first is not None and (from_start or first.tick <= tick):
                return itertools.chain([first], pictures)
        if schedule is not None:
            return self._reach(tick, None)
        reason = "no picture can be decoded; convert the file to H.264 in mp4"
        if self._source.saw_untimed:
            reason = "its pictures have no times; put the raw stream into an mp4 or mkv file"
        raise DecodeError(self._source.file.path, self._source.time_of(tick), reason)

    def _decode(self, marked: Iterable[tuple[Packet[VideoStream], bool]]) -> Iterator[Picture]:
        last_tick: int | None = None
        for frame in self._frames(marked):
            last_tick = self._tick_of(frame, last_tick)
            yield Picture(frame, last_tick)

    def _frames(self, marked: Iterable[tuple[Packet[VideoStream], bool]]) -> Iterator[VideoFrame]:
        for packet, needed in marked:
            self._source.stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            try:
                yield from packet.decode()
            except av.FFmpegError:  # a broken packet; the pictures around it stand
                continue
        try:
            yield from self._source.stream.codec_context.decode(None)
        except av.FFmpegError:
            return

    def _tick_of(self, frame: VideoFrame, last_tick: int | None) -> int:
        if self._source.file.has_display_times and frame.pts is not None:
            return frame.pts
        if frame.dts is not None:
            return frame.dts - self._delay_ticks
        return self._source.first_tick if last_tick is None else last_tick + self.frame_ticks

    def _measured_delay(self) -> int:
        """Without display times, a picture is shown as many frames before its decoder gives it as the first one."""
        for _, packets in self._source.attempts(self._source.first_tick):
            for fed, packet in enumerate(packets):
                try:
                    if packet.decode():
                        return fed * self.frame_ticks
                except av.FFmpegError:
                    continue
        return 0


def _shown(pictures: Iterator[Picture], ticks: Sequence[int]) -> Iterator[Picture]:
    """The picture on screen at each of the ascending ticks; `last` where no later one came."""
    pending = deque(ticks)
    current = next(pictures)
    for picture in pictures:
        while picture.tick > max(current.tick, pending[0]):
            yield current
            pending.popleft()
            if not pending:
                return
        if picture.tick >= current.tick:
            current = picture
    for _ in pending:
        yield replace(current, last=True)


def frame_rate(stream: VideoStream) -> float:
    """Frames per second: the mean where it is credible (1000 Hz is a clock), else FFmpeg's guess, else 25."""
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((float(rate) for rate in rates if rate and 0 < rate <= _MAX_RATE), 25.0)
