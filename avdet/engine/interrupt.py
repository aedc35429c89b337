"""Ctrl-C and SIGTERM as a wish to stop after the running step, so that the step's result can be saved."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

__all__ = ["Interrupted", "StopSignal"]


class Interrupted(Exception):  # noqa: N818  (no error: the user's wish)
    """The run was asked to stop and has saved where it stands."""


class StopSignal:
    """Inside its `with`, the first signal sets `received`; a second Ctrl-C stops at once, as everywhere."""

    def __init__(self) -> None:
        self.received = False

    def __enter__(self) -> StopSignal:
        self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
