from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdet.inference.video_documents import subtitles, video_document, write_json, write_subtitles
from avdet.people.events import Event
from tests.inference.test_predictions import CLASSES, predictions


def event(person_id: int, action: str, start_s: float, end_s: float, peak_score: float = 0.5) -> Event:
    return Event("v", person_id, 1, action, start_s, end_s, start_s, peak_score)


def test_cues_do_not_overlap() -> None:
    events = [event(0, "talk & <sing>", 0.5, 3.5), event(1, "sit", 1.5, 2.5), event(0, "stand", 3601.0, 3602.25)]
    assert subtitles(events, "vtt").split("\n\n") == [
        "WEBVTT",
        "1\n00:00:00.500 --> 00:00:01.500\nperson 0: talk &amp; &lt;sing&gt;",
        "2\n00:00:01.500 --> 00:00:02.500\nperson 0: talk &amp; &lt;sing&gt;\nperson 1: sit",
        "3\n00:00:02.500 --> 00:00:03.500\nperson 0: talk &amp; &lt;sing&gt;",
        "4\n01:00:01.000 --> 01:00:02.250\nperson 0: stand\n",
    ]
    assert subtitles(events, "srt").startswith("1\n00:00:00,500 --> 00:00:01,500\nperson 0: talk & <sing>\n\n2\n")


def test_a_cue_names_the_best_events_of_a_crowd() -> None:
    crowd = [event(number, "sit", 0.0, 1.0, number / 10) for number in range(9)]
    lines = subtitles(crowd, "vtt").splitlines()[4:]
    assert lines == [*(f"person {number}: sit" for number in range(3, 9)), "and 3 more"]


def test_no_events_give_valid_files(tmp_path: Path) -> None:
    for kind in ("vtt", "srt"):
        write_subtitles([], tmp_path / f"a.{kind}", kind)
    assert ((tmp_path / "a.vtt").read_text(), (tmp_path / "a.srt").read_text()) == ("WEBVTT\n", "\n")


def test_the_document_has_persons_boxes_actions_and_events(tmp_path: Path) -> None:
    write_json(video_document(predictions().linked(), "a", CLASSES, 0.3), tmp_path / "a.json")
    document = json.loads((tmp_path / "a.json").read_text())
    assert (document["video"], document["actions"]) == ("a", ["sit", "talk"])
    first = document["persons"][0]
    assert first["events"][:1] == [
        {"action": "talk", "action_id": 7, "start_s": 0.5, "end_s": 1.5, "peak_s": 1.0, "peak_score": 0.5}
    ]
    assert first["boxes"][0]["actions"] == [{"action": "talk", "score": 0.5}]
    assert first["boxes"][0]["time_s"] == 1.0 and first["boxes"][0]["score"] == pytest.approx(0.9)
    assert sum(len(person["boxes"]) for person in document["persons"]) == 3
