"""The player page in Chromium, opened from a file, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avdet.visualization.person_timeline import Overlay, annotated_persons, detected_persons
from avdet.visualization.player.page import write_player
from tests.media.make_videos import write_video
from tests.visualization.player.player_page import Player
from tests.visualization.tables import detections

MARKUP = "<img src=x onerror='window.hacked = 1'></script><script>window.hacked = 1</script>"
NAMES = {1: "sit", 2: MARKUP, 3: "wave"}
START, END = (0.1, 0.2, 0.3, 0.8), (0.5, 0.2, 0.7, 0.8)  # of person 0 at 0.5 s and at 1.5 s


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("player")
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 48000).astype(np.float32)
    video = write_video(folder / "<b>a & b.mp4", num_frames=75, waveform=noise)
    table = detections(
        *((0.5, START, 1, 0.9, 0), (1.5, END, 1, 0.8, 0), (1.5, END, 2, 0.45, 0), (2.5, END, 3, 0.35, 1))
    )
    ground_truth = annotated_persons(table.drop(columns="score"), NAMES)
    return write_player(video, folder / "page.html", Overlay(detected_persons(table, NAMES), ground_truth))


@pytest.fixture
def player(browser: Any, page_file: Path) -> Iterator[Player]:  # noqa: ANN401
    player = Player(browser, page_file)
    yield player
    player.close()


def test_boxes_are_interpolated_between_keyframes(player: Player) -> None:
    for time_s, left in [(0.5, 0.1), (1.0, 0.3), (1.3, 0.42)]:
        player.seek(time_s)
        (person,) = player.detected()
        assert person["box"][0] == pytest.approx(left, abs=0.4 * 0.041)  # the frame on screen may be 40 ms older
    player.seek(0.52)
    side = player.detected()[0]["box"]
    red, green, blue, opacity = player.colour_at(side[0] + 0.004, 0.5)
    assert opacity == 255 and red > 200 and green > 130 and blue < 120  # orange, the first colour of the palette
    assert player.colour_at(0.9, 0.5)[3] == 0


def test_boxes_move_while_the_video_plays(player: Player) -> None:
    player.page.click("#play")
    player.wait_until("document.getElementById('video').currentTime > 0.9")
    first = player.detected()[0]["box"][0]
    player.wait_until("document.getElementById('video').currentTime > 1.2")
    assert player.detected()[0]["box"][0] > first > 0.1
    player.page.keyboard.press(" ")
    assert player.evaluate("document.getElementById('video').paused")


def test_a_click_on_the_timeline_seeks(player: Player) -> None:
    for canvas in ("#rows", "#spectrogram"):
        place = player.page.locator(canvas).bounding_box()
        gutter = min(160, max(104, 0.2 * place["width"]))
        x = place["x"] + gutter + 0.5 * (place["width"] - gutter)
        player.page.mouse.click(x, place["y"] + 8)
        assert player.time_s == pytest.approx(1.5, abs=0.03)
        player.seek(0.2)
    player.page.mouse.move(x, place["y"] + 8)
    player.page.mouse.down()
    player.page.mouse.move(x + 0.25 * (place["width"] - gutter), place["y"] + 8)
    player.page.mouse.up()
    assert player.time_s == pytest.approx(2.25, abs=0.05)


def test_boxes_follow_a_seek_without_frame_callbacks(player: Player) -> None:
    player.page.add_init_script("HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0")
    player.page.reload()
    player.wait_until("document.getElementById('video').readyState >= 2")
    for time_s, left in [(1.5, 0.5), (0.5, 0.1)]:
        player.seek(time_s)
        assert player.detected()[0]["box"][0] == pytest.approx(left, abs=1e-6)


def test_the_minimum_score_hides_boxes_and_gives_the_reason(player: Player) -> None:
    player.seek(1.5)
    assert [person["lines"] for person in player.detected()] == [["#0 sit 0.80", f"{MARKUP} 0.45"]]
    for value, lines in [("0.5", [["#0 sit 0.80"]]), ("0.95", [])]:
        player.page.locator("#min-score").fill(value)
        assert [person["lines"] for person in player.detected()] == lines
    assert player.page.locator("#note").text_content() == "nothing is drawn: no score reaches 0.95; the highest is 0.90"
    player.page.locator("#min-score").fill("0.3")
    assert not player.page.locator("#note").is_visible()


def test_actions_and_ground_truth_can_be_hidden(player: Player) -> None:
    player.seek(1.5)
    assert player.persons()[0]["lines"] == ["truth sit", MARKUP]
    player.page.keyboard.press("g")
    assert len(player.persons()) == 1
    player.page.locator("#classes input[type=checkbox]").nth(0).uncheck()
    assert [person["lines"] for person in player.detected()] == [[f"#0 {MARKUP} 0.45"]]
    player.page.click("#classes .none")
    assert player.persons() == []
    player.page.click("#classes .all")
    assert len(player.persons()) == 1


def test_keys_step_by_frames_and_seconds(player: Player) -> None:
    player.seek(1.02)
    for key, expected in [(".", 1.06), (",", 1.02), (",", 0.98), ("ArrowRight", 1.98), ("ArrowLeft", 0.98)]:
        player.page.keyboard.press(key)
        assert player.time_s == pytest.approx(expected, abs=0.002)
    before = float(player.page.locator("#min-score").input_value())
    player.page.keyboard.press("ArrowUp")
    assert float(player.page.locator("#min-score").input_value()) == pytest.approx(before + 0.05)


def test_a_click_seeks_in_the_zoomed_time_range(player: Player) -> None:
    player.seek(1.5)
    player.page.keyboard.press("+")
    place = player.page.locator("#spectrogram").bounding_box()
    player.page.mouse.click(place["x"] + place["width"] - 2, place["y"] + 8)
    assert player.time_s == pytest.approx(2.25, abs=0.06)  # the range is 1.5 s around 1.5 s


def test_no_script_in_a_name_runs(player: Player) -> None:
    assert player.page.locator("#name").text_content() == "<b>a & b.mp4"
    assert player.page.locator("#classes .name").all_text_contents() == ["sit", MARKUP, "wave"]
    assert player.evaluate("window.hacked") is None


def test_the_page_fits_on_a_phone(browser: Any, page_file: Path) -> None:  # noqa: ANN401
    player = Player(browser, page_file, viewport={"width": 390, "height": 844})
    assert player.evaluate("document.documentElement.scrollWidth") == 390
    assert not player.page.locator("#classes").is_visible()  # collapsed
    assert player.page.locator("#boxes").bounding_box()["width"] > 360
    player.close()


def test_a_missing_video_is_reported(browser: Any, page_file: Path, tmp_path: Path) -> None:  # noqa: ANN401
    without_video = tmp_path / "page.html"
    without_video.write_bytes(page_file.read_bytes())
    page = browser.new_page()
    page.goto(without_video.as_uri())
    page.wait_for_selector("#note:visible")
    assert "this browser cannot play <b>a & b.mp4" in page.locator("#note").text_content()
    page.close()
