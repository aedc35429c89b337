"""The report in Chromium: its policy allows its style, and hostile names stay text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ava_eval.report import write_report
from tests.ava_eval.test_report import series
from tests.chromium import Page

HOSTILE = "<img src=x onerror='window.hacked = 1'></style></title><script>window.hacked = 1</script>"


def test_the_report_is_styled_and_no_name_runs(browser: Any, tmp_path: Path) -> None:  # noqa: ANN401
    names = {1: HOSTILE, 3: "\"'><svg onload='window.hacked = 1'>", 4: "d", 9: "e"}
    page = Page(browser, write_report(tmp_path, [series(HOSTILE, label_map=names)]))
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "1120px"
    assert HOSTILE in page.page.title() and page.text("h1").endswith(HOSTILE)
    assert page.evaluate("Math.max(...[...document.querySelectorAll('.bar rect')].map(r => r.getBBox().width))") > 50
    page.close()


def test_the_policy_refuses_what_a_name_might_add(browser: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """A second line of defence: even markup that were not escaped could not run, load or send anything."""
    path = write_report(tmp_path, [series("run")])
    injected = "<script>window.hacked = 1</script><img src='https://example.org/x.png' onerror='window.hacked = 2'>"
    path.write_text(path.read_text(encoding="utf-8").replace("<h1>", injected + "<h1>"), encoding="utf-8")
    page = Page(browser, path)
    page.page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in error for error in page.errors)
