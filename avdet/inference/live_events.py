"""Messages on the events of live sources: one when an event begins, one when it ends."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias

import pandas as pd

from avdet.inference.live_detector import live_gap
from avdet.people.events import Event, EventTracker

__all__ = ["EventLog", "LiveEvents", "Message"]

logger = logging.getLogger(__name__)
Message: TypeAlias = dict[str, object]


class LiveEvents:
    """Sends the events of one source, from keyframe to keyframe.

    A message has the fields of `Event`, with `source` for `video`, and before them `state`, "begins" or "ends", and
    `time`, when it does so in UTC. When it begins, end_s is null and the peak is that of the first keyframe.
    """

    def __init__(
        self,
        action_names: Mapping[int, str],
        sends: Iterable[Callable[[Message], None]],
        *,
        min_score: float,
        interval_s: float,
    ) -> None:
        self._sends = list(sends)
        self._tracker = EventTracker(action_names, min_score=min_score, interval_s=interval_s)
        self._last_s = 0.0

    def add(self, time_s: float, detections: pd.DataFrame, delay_s: float) -> None:
        """Sends what begins and ends with the detections of a keyframe that the source showed `delay_s` ago."""
        zero = datetime.now(timezone.utc) - timedelta(seconds=time_s + delay_s)
        since_s, self._last_s = time_s - self._last_s, time_s
        before = {_key(event) for event in self._tracker.open}
        ended = self._tracker.add(detections, time_s, max_gap_s=live_gap(since_s))
        going_on = before - {_key(event) for event in ended}
        for event in ended:
            self._send("ends", event, zero)
        for event in self._tracker.open:
            if _key(event) not in going_on:
                self._send("begins", event, zero)

    def finish(self) -> None:
        """Sends the end of all events."""
        zero = datetime.now(timezone.utc) - timedelta(seconds=self._last_s)
        for event in self._tracker.finish():
            self._send("ends", event, zero)

    def _send(self, state: Literal["begins", "ends"], event: Event, zero: datetime) -> None:
        moment = zero + timedelta(seconds=event.start_s if state == "begins" else event.end_s)
        row = {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(event).items()}
        source = row.pop("video")
        message = {"source": source, "state": state, "time": moment.isoformat(timespec="milliseconds"), **row}
        if state == "begins":
            message["end_s"] = None
        for send in self._sends:
            send(message)


class EventLog:
    """Appends messages to a file, or to standard output as "-", one JSON object per line. A context manager.

    Several threads may write. A file that can no longer be written is reported once; the source goes on.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError if the file cannot be opened."""
        self._path = path
        self._lock = threading.Lock()
        self._failed = False
        if str(path) == "-":
            self._file = sys.stdout
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def write(self, message: Message) -> None:
        """Writes the message at once."""
        with self._lock:
            if self._failed:
                return
            try:
                self._file.write(json.dumps(message, ensure_ascii=False) + "\n")
                self._file.flush()
            except OSError as error:
                self._failed = True
                logger.warning("--events %s: %s; no more events are written", self._path, error.strerror or error)

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._file is not sys.stdout:
            with contextlib.suppress(OSError):  # of what a full disk has not taken
                self._file.close()


def _key(event: Event) -> tuple[int, int]:
    return event.person_id, event.action_id
