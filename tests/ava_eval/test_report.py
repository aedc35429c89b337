"""The HTML report is well-formed, self-contained and escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ava_eval import Result, evaluate
from ava_eval.breakdown import break_down
from ava_eval.comparison import compare
from ava_eval.report import Series, report_html, write_report
from ava_eval.tubes import evaluate_tubes
from tests.ava_eval.random_cases import LABEL_MAP, random_case, truth_table

VOID = {"meta", "br"}


class TagBalance(HTMLParser):
    """Fails on tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_well_formed(text: str) -> None:
    balance = TagBalance()
    balance.feed(text)
    balance.close()
    assert balance.open == []
    assert not re.search(r"""(src|href|url)\s*[=(]|https?:|@import|nan|None""", text)


def series(name: str, seed: int = 4, label_map: dict[int, str] = LABEL_MAP) -> Series:
    truth, detections, _ = random_case(seed).tables()
    result = evaluate(truth, detections, label_map)
    tubes = evaluate_tubes(truth.assign(person_id=1), detections.assign(person_id=1), label_map)
    return Series(name, result, break_down(result, {1: "pose", 3: "pose", 9: "voice"}), tubes)


def test_one_result(tmp_path: Path) -> None:
    path = write_report(tmp_path / "new", [series("run")])
    text = path.read_text(encoding="utf-8")
    assert_well_formed(text)
    for head in ("Errors by type", "AP by class", "mAP by IoU", "Precision over recall", "Tubes", "Counts"):
        assert f"<h2>{head}" in text
    assert text.count("<figure>") == 4


def test_two_results_and_their_comparison() -> None:
    first, second = series("video"), series("video & audio")
    text = report_html([first, second], compare(first.result, second.result, first.name, second.name))
    assert_well_formed(text)
    assert "Gain of video &amp; audio over video" in text


def test_names_are_escaped() -> None:
    names = {1: "<script>alert(1)</script>", 3: 'a "b" & c', 4: "d", 9: "e"}
    text = report_html([series("<b>", label_map=names)])
    assert_well_formed(text)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_files(rows: int) -> None:
    """Without ground truth, or without detections, the page has a note."""
    truth = truth_table([("v", 1, (0, 0, 1, 1), 3)])
    detections = truth.assign(score=0.5)
    result: Result = evaluate(truth.iloc[:rows], detections.iloc[rows:], LABEL_MAP)
    text = report_html([Series("empty", result, break_down(result, {}))])
    assert_well_formed(text)
    assert 'class="note"' in text
