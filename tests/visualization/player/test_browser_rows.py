"""The page's rows in Chromium: events, filters, links, two models, mistakes, and what assistive programs read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from avdet.visualization.person_timeline import Overlay, annotated_persons, detected_persons
from avdet.visualization.player.page import write_player
from tests.media.make_videos import write_video
from tests.visualization.player.player_page import Player
from tests.visualization.tables import LEFT, RIGHT, detections

NAMES = {1: "sit", 2: "wave", 3: "talk"}
# Person 4 sits at 0.5, 1.5 and 5.5 s and waves at 1.5 s; person 9 talks at 2.5 s.
ROWS = detections(
    (0.5, LEFT, 1, 0.9, 4), (1.5, LEFT, 1, 0.8, 4), (1.5, LEFT, 2, 0.4, 4), (5.5, LEFT, 1, 0.7, 4),
    (2.5, RIGHT, 3, 0.6, 9),
)  # fmt: skip
WITHOUT_AUDIO = [0.2, 0.25, 0.35, 0.1, 0.65]


def truth() -> pd.DataFrame:
    """Person 4 sits throughout; person 9 waves at 2.5 s; 5.5 s is not annotated."""
    rows = detections((0.5, LEFT, 1, 1, 0), (1.5, LEFT, 1, 1, 0), (2.5, RIGHT, 2, 1, 1))
    return rows.drop(columns="score")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 112000).astype(np.float32)
    write_video(folder / "clip.mp4", num_frames=175, waveform=noise)
    plain = Overlay(detected_persons(ROWS, NAMES), annotated_persons(truth(), NAMES))
    write_player(folder / "clip.mp4", folder / "truth.html", plain)
    table = ROWS.assign(score_without_audio=WITHOUT_AUDIO)
    write_player(folder / "clip.mp4", folder / "models.html", Overlay(detected_persons(table, NAMES)))
    return folder


@pytest.fixture
def player(browser: Any, folder: Path) -> Iterator[Player]:  # noqa: ANN401
    player = Player(browser, folder / "truth.html")
    yield player
    player.close()


def place_in(player: Player, row: int, time_s: float | None = None) -> tuple[float, float]:
    """The place on screen of a row's label, or of a time in it."""
    box = player.page.locator("#rows").bounding_box()
    gutter = min(160, max(104, 0.2 * box["width"]))
    x = 20 if time_s is None else gutter + time_s / 7 * (box["width"] - gutter)
    return box["x"] + x, box["y"] + 20 * row + 10


def test_a_click_on_a_label_goes_to_the_rows_next_event(player: Player) -> None:
    for expected in (0.5, 5.5, 0.5):  # 0.5 and 1.5 s are one event
        player.page.mouse.click(*place_in(player, 0))
        assert player.time_s == pytest.approx(expected, abs=0.001)


def test_keys_go_through_all_events(player: Player) -> None:
    player.page.locator("#truth").uncheck()
    for key, expected in [("n", 0.5), ("n", 1.5), ("n", 2.5), ("n", 5.5), ("n", 0.5), ("b", 5.5), ("b", 2.5)]:
        player.page.keyboard.press(key)
        assert player.time_s == pytest.approx(expected, abs=0.001)


def test_the_score_is_shown_under_the_pointer(player: Player) -> None:
    for row, time_s, text in [
        (0, 1.4, "#4 sit 0.80 at 0:01.5"),
        (0, 5.5, "#4 sit 0.70 at 0:05.5"),
        (0, None, "#4 sit"),
    ]:
        player.page.mouse.move(*place_in(player, row, time_s))
        assert player.text("#tip") == text
    player.page.mouse.move(*place_in(player, 0, 3.5))
    assert not player.page.locator("#tip").is_visible()


def test_only_one_action_or_person(player: Player) -> None:
    player.seek(1.5)
    player.page.locator("#classes .only").nth(1).click()
    assert player.lines() == [["#4 wave 0.40"]]
    player.page.locator("#classes .all").click()
    player.page.locator("#persons .only").nth(1).click()
    assert player.detected() == []
    assert player.text("#state").startswith("1 person,")


def test_search_lists_the_matching_actions(browser: Any, folder: Path) -> None:  # noqa: ANN401
    names = {k: f"action {k}" for k in range(1, 13)}
    table = detections(*((0.5, LEFT, k, 0.5, 0) for k in names))
    player = Player(
        browser, write_player(folder / "clip.mp4", folder / "many.html", Overlay(detected_persons(table, names)))
    )
    player.page.locator("#classes input[type=search]").fill("ACTION 1")
    visible = [name.text_content() for name in player.page.locator("#classes .name").all() if name.is_visible()]
    assert visible == ["action 1", "action 10", "action 11", "action 12"]
    player.close()


def test_mistakes_only(player: Player) -> None:
    """Waving at 1.5 s and talking at 2.5 s are wrong, waving at 2.5 s is missed; 5.5 s is not annotated."""
    player.page.locator("#mistakes").check()
    for time_s, lines in [
        (0.5, []), (1.5, [["#4 wrong: wave 0.40"]]), (2.5, [["missed: wave"], ["#9 wrong: talk 0.60"]]), (5.5, []),
    ]:  # fmt: skip
        player.seek(time_s)
        assert player.lines() == lines
    assert player.text("#state") == "2 persons, 3 rows"
    player.page.locator("#min-score").fill("0.85")
    player.seek(1.5)
    assert player.lines() == [["missed: sit"]]  # its score is 0.80


def test_truth_rows_name_their_person(player: Player) -> None:
    rows = [player.page.mouse.move(*place_in(player, k)) or player.text("#tip") for k in range(5)]
    assert rows == ["#4 sit", "#4 wave", "#9 talk", "truth #0 sit", "truth #1 wave"]


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        ("first", ["#4 sit 0.80", "wave 0.40"]),
        ("second", ["#4 wave 0.35"]),
        ("both", ["#4 sit 0.80 / 0.25", "wave 0.40 / 0.35"]),
    ],
)
def test_two_models(browser: Any, folder: Path, model: str, lines: list[str]) -> None:  # noqa: ANN401
    player = Player(browser, folder / "models.html")
    player.page.locator("#model").select_option(model)
    player.seek(1.5)
    assert player.lines() == [lines]
    player.close()


def test_a_link_opens_a_moment_and_its_row(browser: Any, folder: Path) -> None:  # noqa: ANN401
    player = Player(browser, folder / "models.html", "#t=5.5&person=4&action=sit")
    assert player.time_s == pytest.approx(5.5, abs=0.001)
    player.page.keyboard.press("n")
    player.wait_until("location.hash === '#t=0.5&person=4&action=sit'")
    player.evaluate("location.hash = '#t=2.5'")
    player.wait_until("Math.abs(document.getElementById('video').currentTime - 2.5) < 0.01")
    player.close()


def test_a_link_to_a_low_score_lowers_the_minimum(browser: Any, folder: Path) -> None:  # noqa: ANN401
    page = write_player(
        folder / "clip.mp4", folder / "low.html", Overlay(detected_persons(ROWS, NAMES), min_score=0.75)
    )
    player = Player(browser, page, "#t=1.5&person=4&action=wave")
    assert player.page.locator("#min-score").input_value() == "0.4"
    player.close()


def test_a_zoomed_timeline_folds_rows_without_a_cell(player: Player) -> None:
    player.seek(5.5)
    for _ in range(3):
        player.page.keyboard.press("+")
    assert player.evaluate("parseFloat(document.getElementById('height').style.height)") == 20  # one row
    for _ in range(3):
        player.page.keyboard.press("-")
    assert player.evaluate("parseFloat(document.getElementById('height').style.height)") == 100


def test_volume_and_focus(player: Player) -> None:
    player.page.locator("#volume").fill("0.25")
    assert player.evaluate("document.getElementById('video').volume") == 0.25
    player.page.locator("#timeline").focus()
    player.page.keyboard.press("End")
    player.wait_until("document.getElementById('timeline').getAttribute('aria-valuenow') === '7.0'")
    unnamed = "[...document.querySelectorAll('button, input, select, canvas, section')].filter(e => e.offsetParent &&"
    unnamed += " !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))).map(e => e.outerHTML)"
    assert player.evaluate(unnamed) == []
    assert player.evaluate("[...document.querySelectorAll('canvas')].every(c => c.getAttribute('role') === 'img')")


@pytest.mark.parametrize("size", [(390, 844), (844, 390)])
def test_on_touch_screens_buttons_are_large_and_nothing_overflows(
    browser: Any,  # noqa: ANN401
    folder: Path,
    size: tuple[int, int],
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    player = Player(browser, folder / "truth.html", viewport=viewport, has_touch=True, is_mobile=True)
    assert player.evaluate("document.documentElement.scrollWidth") == size[0]
    touched = "[...document.querySelectorAll('button, select, summary, [type=range]')].filter(e => e.offsetParent"
    small = touched + " && Math.min(e.offsetWidth, e.offsetHeight) < 44).map(e => e.outerHTML)"
    assert player.evaluate(small) == []
    if size[0] > size[1]:  # the rows stand beside the video, within the screen
        rows, boxes = player.page.locator("#rows").bounding_box(), player.page.locator("#boxes").bounding_box()
        assert rows["x"] > boxes["x"] + boxes["width"] and rows["y"] + rows["height"] < size[1]
    player.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(browser: Any, folder: Path, scheme: str) -> None:  # noqa: ANN401
    player = Player(browser, folder / "truth.html", color_scheme=scheme)
    colours = player.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    text, background = (sum(map(int, colour.strip("rgb()").split(","))) / 3 for colour in colours)
    assert (text > background) == (scheme == "dark") and abs(text - background) > 150
    player.close()
