"""One video's predictions for other programs: a JSON document, and subtitles of its events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from avdet.atomic_write import atomic_write
from avdet.datasets.class_names import ClassNames
from avdet.inference.predictions import PersonPredictions
from avdet.people.events import Event, events_of_tubes
from avdet.people.tubes import tube_table

__all__ = ["SubtitleFormat", "subtitles", "video_document", "video_events", "write_json", "write_subtitles"]

SubtitleFormat = Literal["vtt", "srt"]
_MAX_LINES = 6


def video_events(predictions: PersonPredictions, name: str, classes: ClassNames, min_score: float) -> list[Event]:
    """The events of a video's linked predictions; those of events.csv."""
    rows = predictions.action_rows(name, classes, min_score=min_score)
    return events_of_tubes(tube_table(rows, min_score=min_score), classes.label_map)


def video_document(predictions: PersonPredictions, name: str, classes: ClassNames, min_score: float) -> dict[str, Any]:
    """A video's persons as plain data: the boxes of each, with its actions at that time, and its events.

    Boxes are x1, y1, x2, y2 as fractions of the frame. Actions that score less than `min_score` are left out. Persons
    without an id have the id -1.
    """
    persons: dict[int, dict[str, Any]] = {
        person_id: {"person_id": person_id, "events": [], "boxes": []}
        for person_id in sorted(set(predictions.person_ids.tolist()))
    }
    for event in video_events(predictions, name, classes, min_score):
        persons[event.person_id]["events"].append(
            {"action": event.action, "action_id": event.action_id}
            | {key: round(getattr(event, key), 3) for key in ("start_s", "end_s", "peak_s")}
            | {"peak_score": round(event.peak_score, 4)}
        )
    for index, person_id in enumerate(predictions.person_ids.tolist()):
        scores = predictions.scores[index]
        persons[person_id]["boxes"].append(
            {
                "time_s": round(float(predictions.times_s[index]), 3),
                "box": [round(side, 4) for side in predictions.boxes[index].tolist()],
                "score": round(float(predictions.box_scores[index]), 4),
                "actions": [
                    {"action": classes.names[column], "score": round(float(scores[column]), 4)}
                    for column in (-scores).argsort(kind="stable").tolist()
                    if scores[column] >= min_score
                ],
            }
        )
    return {"video": name, "min_score": min_score, "actions": list(classes.names), "persons": list(persons.values())}


def write_json(document: dict[str, Any], path: Path) -> None:
    """Writes a `video_document`."""
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")


def subtitles(events: Sequence[Event], kind: SubtitleFormat) -> str:
    """The events as WebVTT or SubRip: a cue per span in which the same events go on, with one line per event.

    Cues never overlap, because players stack those that do in changing order. A cue names the `_MAX_LINES` events with
    the best peaks, and counts the others.
    """
    bounds = sorted({_milliseconds(time_s) for event in events for time_s in (event.start_s, event.end_s)})
    waiting = sorted(events, key=lambda event: event.start_s, reverse=True)
    going_on: list[Event] = []
    blocks: list[str] = []
    for start, end in pairwise(bounds):
        while waiting and _milliseconds(waiting[-1].start_s) <= start:
            going_on.append(waiting.pop())
        going_on = [event for event in going_on if _milliseconds(event.end_s) > start]
        if going_on:
            best = sorted(going_on, key=lambda event: event.peak_score, reverse=True)
            named = sorted(best[:_MAX_LINES], key=lambda event: (event.person_id, event.action_id))
            lines = [_escaped(f"person {event.person_id}: {event.action}", kind) for event in named]
            more = [f"and {len(going_on) - _MAX_LINES} more"] if len(going_on) > _MAX_LINES else []
            span = f"{_clock(start, kind)} --> {_clock(end, kind)}"
            blocks.append("\n".join([str(len(blocks) + 1), span, *lines, *more]))
    return "\n\n".join([*(["WEBVTT"] if kind == "vtt" else []), *blocks]) + "\n"


def write_subtitles(events: Sequence[Event], path: Path, kind: SubtitleFormat) -> None:
    """Writes `subtitles` as UTF-8."""
    with atomic_write(path) as partial:
        partial.write_text(subtitles(events, kind), encoding="utf-8")


def _milliseconds(time_s: float) -> int:
    return round(time_s * 1000)


def _clock(milliseconds: int, kind: SubtitleFormat) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{'.' if kind == 'vtt' else ','}{milliseconds:03d}"


def _escaped(text: str, kind: SubtitleFormat) -> str:
    """WebVTT reads & and < as markup; `-->` would begin a cue in both."""
    if kind == "vtt":
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("-->", "->")
