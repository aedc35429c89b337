"""Pages in headless Chromium; tests that use it skip where playwright or Chromium is not installed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_S = 20.0  # the machine may be busy


@contextmanager
def launched() -> Iterator[Any]:
    """A browser. Skips the test where playwright or Chromium is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--autoplay-policy=no-user-gesture-required"]
        )
        yield browser
        browser.close()


class Page:
    """A page opened from a file. errors: those in its console, which include what its policy refuses."""

    def __init__(self, browser: Any, file: Path, fragment: str = "", **options: object) -> None:  # noqa: ANN401
        self.errors: list[str] = []
        self.page = browser.new_page(**{"viewport": {"width": 1200, "height": 800}, **options})
        self.page.on("console", lambda log: self.errors.extend([log.text] if log.type == "error" else []))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(file.as_uri() + fragment)

    def evaluate(self, expression: str, argument: object = None) -> Any:  # noqa: ANN401
        return self.page.evaluate(expression, argument)

    def wait_until(self, expression: str, argument: object = None) -> None:
        """Playwright's wait_for_function evaluates text inside the page, which the page's policy refuses."""
        end = time.monotonic() + _PATIENCE_S
        while not self.page.evaluate(expression, argument):
            assert time.monotonic() < end, f"never true: {expression}"
            self.page.wait_for_timeout(20)

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).text_content())

    def close(self) -> None:
        """Closes the page; fails if its console has errors."""
        self.page.close()
        assert self.errors == []
