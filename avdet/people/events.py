"""Events: one person's action from a start to an end, with its peak; from tubes, or keyframe by keyframe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

import pandas as pd

from avdet.people.tracks import MAX_GAP_S

__all__ = ["Event", "EventTracker", "event_table", "events_of_tubes"]

_TIME_TOLERANCE_S = 1e-6  # rounding errors of times such as 0.1 + 0.2


@dataclass(frozen=True)
class Event:
    """One person's action, whose highest score is at `peak_s`. Times are seconds of the video.

    Each keyframe stands for one keyframe interval, so that start_s is half an interval before the first keyframe with
    the action, but not before 0 s, and end_s half an interval after the last.
    """

    video: str
    person_id: int
    action_id: int
    action: str
    start_s: float
    end_s: float
    peak_s: float
    peak_score: float


def events_of_tubes(tubes: pd.DataFrame, action_names: Mapping[int, str]) -> list[Event]:
    """The events of a `tube_table` of detections, by video and start."""
    margins_s = (tubes["duration_s"] - (tubes["end_s"] - tubes["start_s"])) / 2
    rows = tubes.assign(start_s=(tubes["start_s"] - margins_s).clip(lower=0.0), end_s=tubes["end_s"] + margins_s)
    rows = rows.assign(action=rows["action_id"].map(action_names))
    return [Event(*row) for row in rows[_COLUMNS].itertuples(index=False)]


def event_table(events: list[Event]) -> pd.DataFrame:
    """One row per event, with the fields of `Event` as columns; times are rounded to milliseconds."""
    table = pd.DataFrame([asdict(event) for event in events], columns=_COLUMNS)
    return table.round({"start_s": 3, "end_s": 3, "peak_s": 3, "peak_score": 4})


class EventTracker:
    """Events of a stream, keyframe by keyframe: those of `events_of_tubes` for the same rows, as soon as they end.

    interval_s: of keyframes.
    """

    def __init__(self, action_names: Mapping[int, str], *, min_score: float = 0.3, interval_s: float = 1.0) -> None:
        self._names, self._min_score = action_names, min_score
        self._margin_s = interval_s / 2
        self._open: dict[tuple[str, int, int], Event] = {}

    @property
    def open(self) -> list[Event]:
        """The events that have not ended, as of the newest keyframe."""
        return list(self._open.values())

    def add(self, rows: pd.DataFrame, time_s: float, *, max_gap_s: float = MAX_GAP_S) -> list[Event]:
        """Returns the events that ended before `time_s`. `rows`: the detections of this keyframe, later than the last.

        Rows below `min_score` and rows without a person id (-1) are left out. An event goes on over `max_gap_s`
        seconds without its action.
        """
        oldest_end_s = time_s - max_gap_s + self._margin_s - _TIME_TOLERANCE_S
        ended = {key: event for key, event in self._open.items() if event.end_s < oldest_end_s}
        self._open = {key: event for key, event in self._open.items() if key not in ended}
        rows = rows[(rows["person_id"] >= 0) & (rows["score"] >= self._min_score)]
        for video, person_id, action_id, score in rows[["video", "person_id", "action_id", "score"]].itertuples(
            index=False
        ):
            key = (str(video), int(person_id), int(action_id))
            event = self._open.get(key) or self._begun(*key, time_s)
            if score > event.peak_score:
                event = replace(event, peak_s=time_s, peak_score=float(score))
            self._open[key] = replace(event, end_s=time_s + self._margin_s)
        return list(ended.values())

    def finish(self) -> list[Event]:
        """Ends and returns all open events."""
        ended, self._open = self.open, {}
        return ended

    def _begun(self, video: str, person_id: int, action_id: int, time_s: float) -> Event:
        name = self._names.get(action_id, f"action {action_id}")
        start_s = max(time_s - self._margin_s, 0.0)
        return Event(video, person_id, action_id, name, start_s, time_s, time_s, float("-inf"))


_COLUMNS = [field.name for field in fields(Event)]
