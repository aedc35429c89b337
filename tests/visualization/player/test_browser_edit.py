"""The page of --edit in Chromium: each correction by mouse and by keyboard, undo, and the CSV that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avdet.visualization.person_timeline import Overlay, detected_persons
from avdet.visualization.player.page import EditSettings, write_player
from tests.media.make_videos import write_video
from tests.visualization.player.player_page import Player
from tests.visualization.tables import LEFT, RIGHT, detections

NAMES = {1: "sit", 5: "wave (a hand)", 9: "talk"}
HEADER = "video,timestamp,x1,y1,x2,y2,action_id,person_id"
# Three keyframes; person 7 is person 3 under another id.
ROWS = detections(
    (0.5, LEFT, 1, 0.9, 3), (0.5, LEFT, 5, 0.6, 3), (0.5, LEFT, 9, 0.1, 3), (0.5, RIGHT, 1, 0.7, 4),
    (1.5, LEFT, 1, 0.8, 3), (1.5, RIGHT, 1, 0.8, 4), (2.5, LEFT, 1, 0.7, 7),
)  # fmt: skip


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edit")
    overlay = Overlay(detected_persons(ROWS, NAMES), timestamp_offset_s=900.0)
    video = write_video(folder / "clip.mp4", num_frames=75)
    return write_player(video, folder / "page.html", overlay, EditSettings('a "b", c', NAMES))


class Editor(Player):
    """A page of --edit."""

    def state(self) -> str:
        return self.text("#edit .state")

    def labels(self) -> list[str]:
        """The text of each person's button and of the labels beside it."""
        return self.page.locator("#edit li").evaluate_all(
            "items => items.map(item => [...item.querySelectorAll('.person, .chip')].map(e => e.textContent).join(' ')"
            ".replaceAll('\\u00d7', 'x'))"
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def go_to(self, time_s: float) -> None:
        self.seek_table(time_s)
        self.wait_until("(t) => document.querySelector('#edit .state').textContent.includes(t)", f"15:0{time_s:.1f}")

    def seek_table(self, time_s: float) -> None:
        self.evaluate("(t) => { document.getElementById('video').currentTime = t; }", time_s)
        self.wait_until("(t) => document.getElementById('clock').textContent.startsWith(t)", f"15:0{time_s:.1f}")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        box = self.page.locator("#boxes").bounding_box()
        for k, (x, y) in enumerate((start, end)):
            self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            self.page.mouse.down() if k == 0 else self.page.mouse.up()

    def csv(self) -> list[str]:
        with self.page.expect_download() as download:
            self.page.click("#edit-download")
        return Path(download.value.path()).read_text(encoding="utf-8").splitlines()

    def rows(self) -> list[list[str]]:
        """The CSV's rows without the video's name: timestamp, box, action id, person id."""
        header, *lines = self.csv()
        assert header == HEADER and all(line.startswith('"a ""b"", c",') for line in lines)
        return [line.rsplit(",", 7)[1:] for line in lines]


@pytest.fixture
def editor(browser: Any, page_file: Path) -> Iterator[Editor]:  # noqa: ANN401
    editor = Editor(browser, page_file)
    editor.go_to(0.5)
    yield editor
    editor.close()


def test_accepted_keyframes_are_downloaded_as_they_are(editor: Editor) -> None:
    assert editor.labels() == ["#3 sit x wave x", "#4 sit x"]
    assert editor.state() == "keyframe 15:00.5: proposed; 0 of 3 accepted"
    editor.press("Enter")
    assert editor.state() == "keyframe 15:01.5: proposed; 1 of 3 accepted; not downloaded"
    assert editor.rows() == [
        ["900.5", "0.1", "0.2", "0.4", "0.9", "1", "3"],
        ["900.5", "0.1", "0.2", "0.4", "0.9", "5", "3"],
        ["900.5", "0.6", "0.2", "0.9", "0.9", "1", "4"],
    ]
    assert editor.state() == "keyframe 15:01.5: proposed; 1 of 3 accepted"
    editor.press("[")
    editor.page.click("#edit-accept")  # withdraws
    assert editor.page.locator("#edit-download").is_disabled()


def test_labels_are_added_and_deleted(editor: Editor) -> None:
    editor.page.locator("#edit .chip").nth(1).click()
    editor.press("p", "a")
    editor.page.keyboard.type("talk")
    editor.press("Enter")
    assert editor.labels() == ["#3 sit x talk x", "#4 sit x"]
    assert [row[5:] for row in editor.rows()] == [["1", "3"], ["9", "3"], ["1", "4"]]
    editor.page.locator("#edit li input").nth(1).fill("jump")
    editor.page.locator("#edit li input").nth(1).press("Tab")
    assert 'there is no action "jump"' in editor.state()


def test_boxes_are_moved_and_resized_by_mouse(editor: Editor) -> None:
    editor.drag((0.25, 0.5), (0.35, 0.4))
    box = [float(side) for side in editor.rows()[0][1:5]]
    assert box == pytest.approx([0.2, 0.1, 0.5, 0.8], abs=0.005)
    editor.drag((0.5, 0.8), (0.45, 0.95))
    assert [float(side) for side in editor.rows()[0][1:5]] == pytest.approx([0.2, 0.1, 0.45, 0.95], abs=0.005)


def test_boxes_are_moved_and_resized_by_keys(editor: Editor) -> None:
    editor.press("p", *["Shift+ArrowRight"] * 4, "Shift+ArrowUp", *["Shift+Alt+ArrowDown"] * 2)
    assert [float(side) for side in editor.rows()[0][1:5]] == pytest.approx([0.12, 0.195, 0.42, 0.905], abs=1e-4)


def test_persons_are_added_and_deleted(editor: Editor) -> None:
    editor.drag((0.45, 0.1), (0.55, 0.15))
    editor.page.keyboard.type("talk")
    editor.press("Enter")
    assert editor.labels() == ["#3 sit x wave x", "#4 sit x", "#8 talk x"]
    editor.page.keyboard.press("Escape")
    editor.page.locator("#edit li button.person").nth(1).click()
    editor.evaluate("document.activeElement.blur()")
    editor.press("Delete")
    assert editor.labels() == ["#3 sit x wave x", "#8 talk x"]
    last = editor.rows()[-1]
    assert last[5:] == ["9", "8"]
    assert [float(side) for side in last[1:5]] == pytest.approx([0.45, 0.1, 0.55, 0.15], abs=0.005)


def test_a_keyframe_is_added_where_there_is_none(browser: Any, page_file: Path, tmp_path: Path) -> None:  # noqa: ANN401
    late = Overlay(detected_persons(ROWS[ROWS["timestamp"] == 0.5], NAMES))
    page = write_player(
        page_file.with_name("clip.mp4"), page_file.with_name("late.html"), late, EditSettings("v", NAMES)
    )
    editor = Editor(browser, page, "#t=2.2")
    editor.press("i")
    editor.page.keyboard.type("sit")
    editor.press("Enter")
    assert [line.split(",")[0:2] + line.split(",")[6:] for line in editor.csv()[1:]] == [["v", "2.2", "1", "5"]]
    editor.close()


def test_persons_are_merged(editor: Editor) -> None:
    editor.page.locator("#edit select").nth(0).select_option("#4")
    assert "#3 and #4 are both at 15:00.5, so they are two persons" in editor.state()
    editor.page.locator("#edit select").nth(0).select_option("#7")
    assert editor.labels() == ["#7 sit x wave x", "#4 sit x"]
    editor.page.click("#edit-acceptAll")
    assert sorted({row[6] for row in editor.rows()}) == ["4", "7"]


def test_undo(editor: Editor) -> None:
    before = editor.labels()
    editor.page.locator("#edit .chip").nth(0).click()
    editor.page.locator("#edit li").nth(1).get_by_text("delete").click()
    assert editor.labels() == ["#3 wave x"]
    editor.press("Control+z")
    assert editor.labels() == ["#3 wave x", "#4 sit x"]
    editor.page.click("#edit-undo")
    assert editor.labels() == before and "0 of 3 accepted" in editor.state()
    assert editor.page.locator("#edit-undo").is_disabled()


@pytest.mark.parametrize("downloads", [False, True])
def test_leaving_unsaved_work_asks_first(browser: Any, page_file: Path, downloads: bool) -> None:  # noqa: ANN401
    editor, asked = Editor(browser, page_file), []

    def answer(dialog: Any) -> None:  # noqa: ANN401
        asked.append(dialog.type)
        dialog.accept()

    editor.page.on("dialog", answer)
    editor.page.click("#edit-accept")
    if downloads:
        editor.csv()
    editor.page.goto("about:blank")
    assert asked == ([] if downloads else ["beforeunload"])
    editor.close()


def test_nothing_leaves_the_browser(browser: Any, page_file: Path) -> None:  # noqa: ANN401
    editor, requests = Editor(browser, page_file), []
    editor.page.on("request", lambda request: requests.append(request.url))
    editor.page.click("#edit-acceptAll")
    editor.csv()
    editor.page.click("#play")
    editor.page.wait_for_timeout(300)
    assert all(url.startswith(("file:", "blob:", "data:")) for url in requests)
    editor.close()
