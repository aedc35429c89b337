"""The player page in a browser, as the tests use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.chromium import Page


class Player(Page):
    """A player page whose video can be shown."""

    def __init__(self, browser: Any, file: Path, fragment: str = "", **options: object) -> None:  # noqa: ANN401
        super().__init__(browser, file, fragment, **options)
        self.wait_until("document.body.dataset.ready === 'true' && document.getElementById('video').readyState >= 2")

    def persons(self) -> list[dict[str, Any]]:
        persons: list[dict[str, Any]] = json.loads(self.page.locator("#boxes").get_attribute("data-persons"))
        return persons

    def lines(self) -> list[list[str]]:
        return [person["lines"] for person in self.persons()]

    def detected(self) -> list[dict[str, Any]]:
        return [person for person in self.persons() if not person["lines"][0].startswith("truth")]

    @property
    def time_s(self) -> float:
        return float(self.evaluate("document.getElementById('video').currentTime"))

    def seek(self, time_s: float) -> None:
        self.evaluate("(t) => { document.getElementById('video').currentTime = t; }", time_s)
        self.wait_until("(t) => document.getElementById('clock').textContent.startsWith(t)", f"0:0{time_s:.1f}")

    def colour_at(self, x: float, y: float) -> tuple[int, ...]:
        """The colour (r, g, b, opacity) of the canvas at a normalised place of the frame."""
        script = """([x, y]) => { const c = document.getElementById('boxes');
            return [...c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data]; }"""
        return tuple(self.evaluate(script, [x, y]))
