"""The errors one by one: their keyframe, class and score, and their links into pages."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ava_eval import evaluate
from ava_eval.breakdown import break_down
from ava_eval.error_examples import MAX_EXAMPLES, ErrorExample, PlayerPages, error_examples
from ava_eval.report import Series, write_report
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

ANN: Box = (0.0, 0.0, 0.4, 1.0)
BEN: Box = (0.6, 0.0, 1.0, 1.0)
# At 2 s, a duplicate and two on the background; at 3.5 s a missed box.
TRUTH: list[TruthRow] = [("v", 2, ANN, 3), ("w", 3.5, ANN, 1)]
FOUND: list[DetectionRow] = [
    ("v", 2, ANN, 3, 0.9), ("v", 2, ANN, 3, 0.8), ("v", 2, BEN, 3, 0.5), ("v", 2, BEN, 3, 0.7), ("w", 3.5, BEN, 3, 0.1),
]  # fmt: skip


def examples(person_ids: list[int] | None = None) -> dict[str, list[ErrorExample]]:
    table = detection_table(FOUND)
    result = evaluate(
        truth_table(TRUTH), table if person_ids is None else table.assign(person_id=person_ids), LABEL_MAP
    )
    errors = break_down(result, {}).errors
    return {name: list(error_examples(result, errors, name)) for name in errors.counts}


def test_each_error_has_its_keyframe_class_and_score() -> None:
    name, missed = LABEL_MAP[3], LABEL_MAP[1]
    found = examples()
    (duplicate,) = found["duplicate"]
    assert (duplicate.video, duplicate.time_s, duplicate.action, duplicate.person_id) == ("v", 2.0, name, None)
    assert duplicate.score == pytest.approx(0.8)
    assert [one.video for one in found["background"]] == ["v", "v", "w"]
    assert [one.score for one in found["background"]] == pytest.approx([0.7, 0.5, 0.1])
    assert found["missed"] == [ErrorExample("w", 3.5, missed, None, None)]
    assert found["classification"] == found["localization"] == []


def test_persons_are_named_where_the_table_has_them() -> None:
    found = examples([4, 5, -1, 7, 8])
    assert [one.person_id for one in found["duplicate"]] == [5]
    assert [one.person_id for one in found["background"]] == [7, None, 8]


def test_links_lead_from_the_report_to_the_second(tmp_path: Path) -> None:
    video, action = 'a "b" & <c>#?', "talk to (e.g., self) & <i>"
    (tmp_path / "pages").mkdir()
    (tmp_path / f"pages/{video}.html").touch()
    pages = PlayerPages(tmp_path / "pages", tmp_path / "reports/new")
    html = pages.link(ErrorExample(video, 902.5, action, 0.5, 3))
    (url,) = re.findall(r'<a href="([^"]*)">', html)
    parts = urlsplit(unescape(url))
    assert unquote(parts.path) == f"../../pages/{video}.html"
    assert parse_qs(parts.fragment) == {"t": ["902.5"], "action": [action], "person": ["3"]}
    assert "<c>" not in html and html.count("<") == 2
    assert "<a" not in pages.link(ErrorExample("other", 1.0, action, 0.5, 3))


def test_the_report_lists_the_first_errors_of_each_type(tmp_path: Path) -> None:
    found: list[DetectionRow] = [("v", 2, BEN, 3, 0.9 - k / 1000) for k in range(MAX_EXAMPLES + 10)]
    result = evaluate(truth_table(TRUTH), detection_table(found), LABEL_MAP, protocol="pyslowfast")
    (tmp_path / "v.html").touch()
    report = write_report(tmp_path / "report", [Series("run", result, break_down(result, {}))], pages=tmp_path)
    text = report.read_text(encoding="utf-8")
    assert f"background ({MAX_EXAMPLES} of {MAX_EXAMPLES + 10})" in text and "missed (2)" in text
    assert text.count('<a href="../v.html#t=2&amp;') == MAX_EXAMPLES + 1  # one of the missed boxes is of v
