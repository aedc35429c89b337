"""Turns Ctrl-C and SIGTERM into a stop after the running step, so that the step's result can be saved."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

__all__ = ["Interrupted", "StopSignal"]


class Interrupted(Exception):  # noqa: N818  (the user's request, not an error)
    """The run was stopped by a signal and has saved its state."""


class StopSignal:
    """Within its `with` block, the first signal sets `received`; a second Ctrl-C raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.received = False

    def __enter__(self) -> StopSignal:
        self._previous = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
