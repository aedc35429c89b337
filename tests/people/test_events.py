from __future__ import annotations

import pandas as pd
import pytest

from avdet.people.events import Event, EventTracker, event_table, events_of_tubes
from avdet.people.tubes import tube_table
from tests.people.test_tubes import ROWS

NAMES = {12: "stand", 80: "watch"}
EVENTS = [
    Event("u", 5, 12, "stand", 0.5, 1.5, 1.0, 0.8),
    Event("v", 0, 12, "stand", 0.5, 2.5, 1.0, 0.9),
    Event("v", 0, 80, "watch", 1.5, 2.5, 2.0, 0.6),
    Event("v", 0, 12, "stand", 8.5, 9.5, 9.0, 0.5),
]


def test_an_event_lasts_half_a_keyframe_interval_beyond_its_keyframes() -> None:
    assert events_of_tubes(tube_table(ROWS, min_score=0.3), NAMES) == EVENTS


def test_an_event_starts_no_earlier_than_the_video() -> None:
    rows = ROWS[:2].assign(timestamp=[0.25, 1.25])
    assert events_of_tubes(tube_table(rows), NAMES)[0].start_s == 0.0


def test_a_stream_has_the_same_events() -> None:
    tracker = EventTracker(NAMES, min_score=0.3)
    times_s = (1.0, 2.0, 3.0, 9.0)
    ended = {time_s: tracker.add(ROWS[ROWS["timestamp"] == time_s], time_s) for time_s in times_s}
    assert ended == {1.0: [], 2.0: [], 3.0: [], 9.0: [EVENTS[1], EVENTS[0], EVENTS[2]]}
    assert (tracker.open, tracker.finish(), tracker.open) == ([EVENTS[3]], [EVENTS[3]], [])


def test_a_gap_of_the_maximum_continues_an_event() -> None:
    tracker = EventTracker({})
    for time_s, max_gap_s in ((1.0, 3.0), (4.0, 3.0), (9.0, 5.0)):
        assert not tracker.add(ROWS[:1], time_s, max_gap_s=max_gap_s)
    (event,) = tracker.finish()
    assert (event.action, event.start_s, event.end_s) == ("action 12", 0.5, 9.5)
    assert not tracker.finish()


def test_the_table_has_a_row_per_event() -> None:
    assert event_table([]).columns.tolist() == event_table(EVENTS).columns.tolist()
    assert event_table(EVENTS)["end_s"].tolist() == pytest.approx([1.5, 2.5, 2.5, 9.5])
    assert isinstance(event_table([]), pd.DataFrame)
