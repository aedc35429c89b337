"""The page: whole, self-contained, and escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ava_eval import Result, evaluate
from ava_eval.analysis import analyse
from ava_eval.comparison import compare
from ava_eval.report.page import Series, page, write_report
from ava_eval.report.svg import line_plot, precision_recall_plot
from ava_eval.tubes import evaluate_tubes
from tests.ava_eval.random_tables import LABEL_MAP, random_world, truth_table

VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Complains of tags that are not closed in order."""

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


def assert_whole(text: str) -> None:
    balance = Balance()
    balance.feed(text)
    balance.close()
    assert balance.open == []
    assert not re.search(r"""(src|href|url)\s*[=(]|https?:|@import|nan|None""", text)


def series(name: str, seed: int = 4, label_map: dict[int, str] = LABEL_MAP) -> Series:
    truth, detections, _ = random_world(seed).tables()
    result = evaluate(truth, detections, label_map)
    tubes = evaluate_tubes(truth.assign(person_id=1), detections.assign(person_id=1), label_map)
    return Series(name, result, analyse(result, {1: "pose", 3: "pose", 9: "voice"}), tubes)


def test_one_result(tmp_path: Path) -> None:
    path = write_report(tmp_path / "new", [series("run")])
    text = path.read_text(encoding="utf-8")
    assert_whole(text)
    for head in ("Where the points go", "AP by class", "By overlap", "Precision over recall", "Tubes", "What counted"):
        assert f"<h2>{head}" in text
    assert text.count("<figure>") == 4


def test_two_results_and_their_comparison() -> None:
    first, second = series("video"), series("video & sound")
    text = page([first, second], compare(first.result, second.result, first.name, second.name))
    assert_whole(text)
    assert "What video &amp; sound gains over video" in text


def test_names_are_escaped() -> None:
    names = {1: "<script>alert(1)</script>", 3: 'a "b" & c', 4: "d", 9: "e"}
    text = page([series("<b>", label_map=names)])
    assert_whole(text)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_to_show(rows: int) -> None:
    """No ground truth, or no detections: a page still, with the notes that say so."""
    truth = truth_table([("v", 1, (0, 0, 1, 1), 3)])
    detections = truth.assign(score=0.5)
    result: Result = evaluate(truth.iloc[:rows], detections.iloc[rows:], LABEL_MAP)
    text = page([Series("empty", result, analyse(result, {}))])
    assert_whole(text)
    assert 'class="note"' in text


def test_curves_step_down_the_envelope() -> None:
    """A hit, a miss, a hit of two boxes: precision 1 to recall 1/2, then 2/3 to recall 1, in a square of side 150."""
    truth = truth_table([("v", 1, (0, 0, 1, 1), 3), ("v", 2, (0, 0, 1, 1), 3)])
    found = truth.iloc[[0, 0, 1]].assign(score=[0.9, 0.8, 0.7])
    result = evaluate(truth, found, LABEL_MAP)
    from ava_eval.evaluate import class_curves
    from ava_eval.matching import true_positives

    curves = class_curves(result.selection, true_positives(result.selection, result.nearest, 0.5))
    assert 'd="M0.0 0.0H75.0V50.0H150.0V150"' in precision_recall_plot([curves[1]])
    assert precision_recall_plot([None]).count("<path") == 1


def test_lines_end_at_a_round_number() -> None:
    text = line_plot([{0.3: 0.5, 0.5: 0.3, 0.9: None}], "IoU", "mAP")
    assert ">60<" in text
    assert text.count("<circle") == 2
