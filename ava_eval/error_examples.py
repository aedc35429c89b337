"""The errors of the report one by one, with the highest scores first, as links into pages of the player."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np

from ava_eval.charts import plain_table
from ava_eval.error_analysis import ErrorAnalysis
from ava_eval.result import Result
from ava_eval.selection import GroundTruth, Rows

MAX_EXAMPLES = 50  # of each type


@dataclass(frozen=True)
class ErrorExample:
    """One error. score: None for a missed ground-truth box; person_id: None if unknown."""

    video: str
    time_s: float
    action: str
    score: float | None
    person_id: int | None


@dataclass(frozen=True)
class PlayerPages:
    """The folder of the pages VIDEO.html that the report in `report` links to."""

    folder: Path
    report: Path

    def link(self, example: ErrorExample) -> str:
        """The error's video and second as HTML: a link if the video has a page."""
        text = f"{escape(example.video)} at {example.time_s:g} s"
        page = self.folder / f"{example.video}.html"
        if not page.exists():
            return text
        place: dict[str, object] = {"t": f"{example.time_s:g}", "action": example.action}
        if example.person_id is not None:
            place["person"] = example.person_id
        path = Path(os.path.relpath(page.resolve(), self.report.resolve())).as_posix()
        return f'<a href="{quote(path)}#{escape(urlencode(place, quote_via=quote))}">{text}</a>'


def error_examples(result: Result, errors: ErrorAnalysis, error_type: str) -> Iterator[ErrorExample]:
    """The first MAX_EXAMPLES errors of a type: by score, or in the order of the ground truth for missed boxes."""
    selection, chosen = result.selection, errors.rows[error_type]
    names, keyframes = selection.class_names, selection.keyframes
    table: GroundTruth | Rows = selection.truth if error_type == "missed" else selection.rows
    scores = None if error_type == "missed" else selection.rows.score
    if scores is not None:
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
    persons = selection.detections["person_id"] if "person_id" in selection.detections and scores is not None else None
    for index in chosen[:MAX_EXAMPLES]:
        keyframe = table.keyframe[index]
        person = -1 if persons is None else int(persons.iloc[table.row[index]])
        yield ErrorExample(
            keyframes.videos[keyframes.video[keyframe]],
            float(keyframes.time_s[keyframe]),
            names[table.class_[index]],
            None if scores is None else float(scores[index]),
            person if person >= 0 else None,
        )


def examples_section(name: str, result: Result, errors: ErrorAnalysis, pages: PlayerPages) -> str:
    """A list of errors per type as HTML, closed until it is opened."""
    parts = []
    for error_type, count in errors.counts.items():
        rows = [
            [pages.link(one), escape(one.action), "" if one.score is None else f"{one.score:.2f}"]
            for one in error_examples(result, errors, error_type)
        ]
        if rows:
            shown = f"{count:,}" if count == len(rows) else f"{len(rows)} of {count:,}"
            table = plain_table(["video and second", "class", "score"], rows)
            parts.append(f"<details><summary>{error_type} ({shown})</summary>{table}</details>")
    return f"<h2>Errors one by one: {escape(name)}</h2>{''.join(parts)}" if parts else ""
