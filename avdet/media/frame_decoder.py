"""FrameDecoder: decoded frames of a video stream at given times, decoding no more than needed."""

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

from avdet.media.media_file import DecodeError, frame_rate
from avdet.media.packets import DecodePlan, PacketSource

__all__ = ["DecodedFrame", "FrameDecoder"]

# With these codecs, skipping non-reference frames leaves every other frame bit-identical.
_SKIPPING_CODECS = {"h264", "hevc", "mpeg4", "mpeg2video"}
_LONG_GAP_S = 5.0  # over longer gaps, seeking is cheaper than decoding


@dataclass(frozen=True)
class DecodedFrame:
    """A frame that is on screen from `tick` on.

    last: no frame was decoded after it. past_end: requested after its time on screen.
    """

    frame: VideoFrame
    tick: int
    last: bool = False
    past_end: bool = False


class FrameDecoder:
    """Decodes the frames of one video stream in display order."""

    def __init__(self, source: PacketSource[VideoStream]) -> None:
        self._source = source
        codec = source.stream.codec_context.codec.name
        self._can_skip = source.file.has_display_times and codec in _SKIPPING_CODECS
        self.frame_ticks = max(round(1 / (frame_rate(source.stream) * source.tick_s)), 1)
        self._delay_ticks = 0 if source.file.has_display_times else self._measured_delay()

    def shown_at(self, ticks: Sequence[int]) -> Iterator[DecodedFrame]:
        """Yields the frame on screen at each of the ascending ticks: the last one that appears at or before it.

        Before the first frame that is the first; past the end it is the last, with `past_end` set. Ticks far apart are
        sought separately; between near ones everything is decoded once.
        """
        gap = math.ceil(_LONG_GAP_S / self._source.tick_s)
        starts = [0, *(k for k in range(1, len(ticks)) if ticks[k] - ticks[k - 1] > gap), len(ticks)]
        for start, end in itertools.pairwise(starts):
            yield from self._shown_in(ticks[start:end], skip=self._can_skip)

    def from_tick(self, tick: int) -> Iterator[DecodedFrame]:
        """Yields the frame on screen at a tick and all later ones to the end of the file."""
        current: DecodedFrame | None = None
        for decoded in self._reach(tick, None):
            if current is None or tick >= decoded.tick >= current.tick:
                current = decoded
            elif decoded.tick > current.tick:
                yield current
                current = decoded
        if current is not None:
            yield current

    def _shown_in(self, ticks: Sequence[int], *, skip: bool) -> Iterator[DecodedFrame]:
        plan: DecodePlan[Packet[VideoStream]] | None = DecodePlan(ticks) if skip else None
        shown = _shown(self._reach(ticks[0], plan), ticks)
        for done, decoded in enumerate(shown):
            if plan and decoded.tick not in plan.shown_ticks:
                # The planned frame is broken and the frame before it may have been skipped.
                yield from self._shown_in(ticks[done:], skip=False)
                return
            ended = plan is None or plan.reached_end
            end_tick = decoded.tick + (decoded.frame.duration or self.frame_ticks)
            yield replace(decoded, past_end=decoded.last and ended and ticks[done] >= end_tick)

    def _reach(self, tick: int, plan: DecodePlan[Packet[VideoStream]] | None) -> Iterator[DecodedFrame]:
        """Frames from one shown at or before the tick, or from the first one; at least one.

        If none that the plan needs can be decoded (a recording begins between key frames), all packets are tried.
        """
        for from_start, packets in self._source.attempts(tick):
            marked = plan.mark(packets) if plan else ((packet, True) for packet in packets)
            frames = self._decode(marked)
            first = next(frames, None)
            if first is not None and (from_start or first.tick <= tick):
                return itertools.chain([first], frames)
        if plan is not None:
            return self._reach(tick, None)
        reason = "no frame can be decoded; convert the file to H.264 in mp4"
        if self._source.saw_untimed:
            reason = "its frames have no timestamps; remux the raw stream into an mp4 or mkv file"
        raise DecodeError(self._source.file.path, self._source.time_of(tick), reason)

    def _decode(self, marked: Iterable[tuple[Packet[VideoStream], bool]]) -> Iterator[DecodedFrame]:
        last_tick: int | None = None
        for frame in self._frames(marked):
            last_tick = self._tick_of(frame, last_tick)
            yield DecodedFrame(frame, last_tick)

    def _frames(self, marked: Iterable[tuple[Packet[VideoStream], bool]]) -> Iterator[VideoFrame]:
        for packet, needed in marked:
            self._source.stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            try:
                yield from packet.decode()
            except av.FFmpegError:  # a broken packet; its neighbours are still valid
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
        """The decoder's delay in ticks, measured at the first frame; used if the file stores no display times."""
        for _, packets in self._source.attempts(self._source.first_tick):
            for fed, packet in enumerate(packets):
                try:
                    if packet.decode():
                        return fed * self.frame_ticks
                except av.FFmpegError:
                    continue
        return 0


def _shown(frames: Iterator[DecodedFrame], ticks: Sequence[int]) -> Iterator[DecodedFrame]:
    """The frame on screen at each of the ascending ticks; `last` is set if no later frame exists."""
    pending = deque(ticks)
    current = next(frames)
    for decoded in frames:
        while decoded.tick > max(current.tick, pending[0]):
            yield current
            pending.popleft()
            if not pending:
                return
        if decoded.tick >= current.tick:
            current = decoded
    for _ in pending:
        yield replace(current, last=True)
