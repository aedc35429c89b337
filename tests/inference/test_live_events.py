from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pandas as pd
import pytest

from avdet.inference.live_events import EventLog, LiveEvents, Message


def _rows(score: float) -> pd.DataFrame:
    columns = ["video", "timestamp", "person_id", "action_id", "score"]
    return pd.DataFrame([["door", 0.0, 3, 12, score], ["door", 0.0, 3, 80, 0.1]], columns=columns)


def test_an_event_is_sent_when_it_begins_and_when_it_ends() -> None:
    messages: list[Message] = []
    events = LiveEvents({12: "stand"}, [messages.append], min_score=0.3, interval_s=1.0)
    for time_s, score in enumerate((0.2, 0.5, 0.8, 0.2, 0.2, 0.2, 0.2)):
        events.add(float(time_s), _rows(score), 0.7)
    now = datetime.now(timezone.utc)
    begins, ends = messages
    event = {"source": "door", "person_id": 3, "action_id": 12, "action": "stand"}
    times = [datetime.fromisoformat(str(message.pop("time"))) for message in messages]
    assert begins == {"state": "begins", **event, "start_s": 0.5, "end_s": None, "peak_s": 1.0, "peak_score": 0.5}
    assert ends == {"state": "ends", **event, "start_s": 0.5, "end_s": 2.5, "peak_s": 2.0, "peak_score": 0.8}
    assert (now - times[0]).total_seconds() == pytest.approx(1.2, abs=0.5)  # at 1 s, 0.7 s ago, began 0.5 s before


def test_events_that_go_on_are_sent_at_the_end_of_the_source() -> None:
    messages: list[Message] = []
    events = LiveEvents({}, [messages.append], min_score=0.3, interval_s=1.0)
    events.add(1.0, _rows(0.5), 0.0)
    events.add(40.0, _rows(0.5), 0.0)  # the source was away
    events.finish()
    assert [message["state"] for message in messages] == ["begins", "ends", "begins", "ends"]
    assert [message["end_s"] for message in messages] == [None, 1.5, None, 40.5]


def test_the_log_appends_lines_and_survives_a_full_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "new" / "events.jsonl"
    for number in (1, 2):
        with EventLog(path) as log:
            log.write({"action": "stehen 立つ", "number": number})
    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"action": "stehen 立つ", "number": k} for k in (1, 2)]
    with EventLog(Path("-")) as log:
        log.write({"a": 1})
    assert capsys.readouterr().out == '{"a": 1}\n'
    with EventLog(Path("/dev/full")) as log:
        log.write({"a": 1})
        log.write({"a": 2})
    assert caplog.text.count("--events /dev/full: No space left on device; no more events are written") == 1
