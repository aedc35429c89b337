"""index.html over several pages: what it lists, where its links lead, and hostile names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from avdet.visualization.person_timeline import Overlay, detected_persons
from avdet.visualization.player.index_page import IndexContent, write_index
from avdet.visualization.player.page import write_player
from tests.chromium import Page
from tests.media.make_videos import write_video
from tests.visualization.tables import LEFT, detections

HOSTILE = "<img src=x onerror='window.hacked = 1'>\"&</td><script>window.hacked = 1</script>"
NAMES = {1: "sit", 2: HOSTILE, 3: "talk to (e.g., self)"}


def tubes(*rows: tuple[str, int, int, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["video", "person_id", "action_id", "start_s", "end_s", "score"])


def text_of(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html.split("</style>")[1])


def test_moments_are_sorted_and_actions_counted(tmp_path: Path) -> None:
    table = tubes(("a", 0, 1, 2.0, 5.0, 0.6), ("b", 4, 3, 61.5, 62.5, 0.9), ("b", 5, 1, 0.0, 1.0, 0.4))
    page = write_index(tmp_path, IndexContent(["a", "b", "c"], table, NAMES, {"d": "cannot be read"}))
    text = " ".join(text_of(page.read_text(encoding="utf-8")).split())
    assert text.startswith(
        "Actions in 3 videos Best moments talk to 0.90 at 1:01 b sit 0.60 at 0:02 a sit 0.40 at 0:00 b"
    )
    assert "sit 2 2 4 s talk to 1 1 1 s" in text  # events, videos, seconds
    assert text.endswith("Errors video reason d cannot be read")


def test_without_events(tmp_path: Path) -> None:
    page = write_index(tmp_path, IndexContent(["a"], tubes(), NAMES, {}))
    assert "No action reaches the minimum score" in page.read_text(encoding="utf-8")


def test_only_videos_with_a_page_are_links(tmp_path: Path) -> None:
    (tmp_path / "a b.html").touch()
    table = tubes(("a b", 0, 3, 2.25, 5.0, 0.6), ("c", 1, 1, 0.0, 1.0, 0.5))
    html = write_index(tmp_path, IndexContent(["a b", "c"], table, NAMES, {})).read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]*)"', html)
    moment = "a%20b.html#t=2.25&amp;person=0&amp;action=talk%20to"
    assert links == [moment, "a%20b.html", moment]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_names_stay_text_and_their_links_lead_to_the_moment(
    browser: Any,  # noqa: ANN401
    tmp_path: Path,
    scheme: str,
) -> None:
    name = "<b onclick='hacked=1'>&\"#?%41"
    video = write_video(tmp_path / f"{name}.mp4", num_frames=50)
    table = detections((0.5, LEFT, 1, 0.5, 0), (1.5, LEFT, 2, 0.9, 3))
    write_player(video, tmp_path / f"{name}.html", Overlay(detected_persons(table, NAMES)))
    content = IndexContent([name], tubes((name, 3, 2, 1.5, 1.5, 0.9)), NAMES, {HOSTILE: HOSTILE})
    page = Page(browser, write_index(tmp_path, content), color_scheme=scheme)
    assert page.evaluate("window.hacked") is None and page.page.locator("img, script").count() == 0
    assert page.page.locator("td").all_text_contents().count(HOSTILE) == 3  # an action, and both cells of the error
    page.page.locator(".moments a").click()
    page.wait_until("document.body.dataset.ready === 'true' && document.getElementById('video').readyState >= 2")
    assert page.evaluate("document.getElementById('video').currentTime") == pytest.approx(1.5)
    assert page.text("#name") == f"{name}.mp4" and page.evaluate("window.hacked") is None
    assert HOSTILE in page.text("#classes")
    page.close()
