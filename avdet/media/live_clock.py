"""LiveClock: times that only ascend, from timestamps that jump, wrap or begin anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["LiveClock"]

_JUMP_S = 2.0  # timestamps that run further ahead of the time that has passed come from another clock
_LATE_S = 0.25  # frames that step back by less are late, not from another clock
_FRAME_S = 0.04  # from the last frame before a jump to the first one after it, at least


@dataclass(frozen=True)
class _Arrival:
    """The time of a frame and when it arrived, on a monotonic clock."""

    time_s: float
    now_s: float


class LiveClock:
    """Converts the timestamps of a source's video and audio into seconds since its first frame.

    Where timestamps jump, forward or back, the time goes on by what has passed since the last frame. Both streams jump
    by the same amount, so they stay synchronised: the second one to jump takes over the offset of the first. A pause
    after which the timestamps go on is no jump.
    """

    def __init__(self) -> None:
        self._latest: dict[str, _Arrival] = {}
        self._offsets_s: dict[str, float] = {}
        self._newest_offset_s: float | None = None

    def reconnected(self) -> None:
        """The next timestamp belongs to the present moment, whatever it is."""
        self._offsets_s.clear()
        self._newest_offset_s = None

    def time_of(self, stream: Literal["video", "audio"], timestamp_s: float, now_s: float) -> float | None:
        """The time of a frame that arrives at `now_s`; None if it is late, or before the source's first frame."""
        offset_s = self._offset(stream, timestamp_s, now_s)
        self._offsets_s[stream] = offset_s
        time_s = timestamp_s + offset_s
        last = self._latest.get(stream)
        if time_s < 0 or (last is not None and time_s <= last.time_s):
            return None
        self._latest[stream] = _Arrival(time_s, now_s)
        return time_s

    def _offset(self, stream: str, timestamp_s: float, now_s: float) -> float:
        """From timestamps to times: the stream's own offset, else the other stream's, else a new one."""
        if not self._latest:
            self._newest_offset_s = -timestamp_s
            return -timestamp_s
        # A stream's first frame is compared with the other stream, which may be ahead of it.
        last = self._latest.get(stream) or max(self._latest.values(), key=lambda arrival: arrival.time_s)
        late_s = _LATE_S if stream in self._latest else _JUMP_S
        passed_s = now_s - last.now_s
        for offset_s in (self._offsets_s.get(stream), self._newest_offset_s):
            if offset_s is not None and -late_s < timestamp_s + offset_s - last.time_s <= passed_s + _JUMP_S:
                return offset_s
        self._newest_offset_s = last.time_s + max(passed_s, _FRAME_S) - timestamp_s
        return self._newest_offset_s
