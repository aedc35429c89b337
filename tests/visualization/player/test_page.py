from __future__ import annotations

import base64
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from avdet.visualization.person_timeline import Overlay, detected_persons
from avdet.visualization.player import page as player_page
from avdet.visualization.player import spectrogram_images
from avdet.visualization.player.page import json_in_html, relative_url, write_player
from tests.media.make_videos import write_video
from tests.visualization.tables import LEFT, detections

MARKUP = "</script><script>window.hacked = 1</script>"


def overlay(time_s: float = 0.5, score: float = 0.9, name: str = "sit") -> Overlay:
    """One person with one action at one keyframe."""
    return Overlay(detected_persons(detections((time_s, LEFT, 1, score, 0)), {1: name}))


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """2 s: a loud second of 4 kHz, then silence."""
    beep = np.sin(2 * np.pi * 4000 * np.arange(16000) / 16000).astype(np.float32)
    return write_video(tmp_path / "clip.mp4", waveform=np.concatenate([beep, 0 * beep]))


def test_the_page_holds_everything_but_the_video(clip: Path, tmp_path: Path) -> None:
    page = write_player(clip, tmp_path / "out" / "page.html", overlay())
    text, data = page.read_text(encoding="utf-8"), data_of(page)
    assert data["src"] == "../clip.mp4" and data["classes"] == ["sit"] and data["duration"] == pytest.approx(2, abs=0.1)
    assert not re.search(r"https?://|<link|<script src", text)


def test_the_spectrogram_shows_time_and_frequency(clip: Path, tmp_path: Path) -> None:
    data = data_of(write_player(clip, tmp_path / "page.html", overlay()))
    image = Image.open(io.BytesIO(base64.b64decode(data["spectrogram"]["overview"].partition(",")[2]))).convert("L")
    level = np.asarray(image, np.float64)
    first, second = level[:, : level.shape[1] // 2 - 8], level[:, level.shape[1] // 2 + 8 :]
    # 4 kHz is 2146 mel, 0.756 of the 2840 mel that 8 kHz has: row 0.244 from the top.
    assert first.mean(axis=1).argmax() / level.shape[0] == pytest.approx(0.244, abs=0.03)
    assert second.mean() < first.mean() / 2


def test_a_long_spectrogram_has_tiles_of_equal_duration(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """125 columns of 16 ms in tiles of about 31; the first second is loud."""
    monkeypatch.setattr(spectrogram_images, "_OVERVIEW_COLUMNS", 40)
    monkeypatch.setattr(spectrogram_images, "_TILE_COLUMNS", 31)
    urls = data_of(write_player(clip, tmp_path / "page.html", overlay()))["spectrogram"]
    overview, *tiles = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L"), np.float64)
        for url in (urls["overview"], *urls["tiles"])
    ]
    assert overview.shape[1] == 40 and len(tiles) == 4 and {tile.shape[1] for tile in tiles} <= {31, 32, 33}
    assert min(tile.mean() for tile in tiles[:2]) > 2 * max(tile.mean() for tile in tiles[2:])
    assert overview[:, :18].mean() > 2 * overview[:, 22:].mean()


@pytest.mark.parametrize(("limit", "lowest"), [(1_400_000, 0.02), (0, 0.3)])
def test_detections_that_are_too_large_start_at_a_higher_score(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, lowest: float
) -> None:
    monkeypatch.setattr(player_page, "_MAX_DETECTION_BYTES", limit)
    table = detections(*((0.5, LEFT, k, k / 10, 0) for k in range(1, 10)))
    data = data_of(write_player(clip, tmp_path / "page.html", Overlay(detected_persons(table, {}))))
    assert data["lowestScore"] == lowest
    assert data["detections"]["entries"] == sum(k / 10 >= lowest for k in range(1, 10))


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    video = write_video(tmp_path / "<script>hacked=1<script>&'\".mp4")
    page = write_player(video, tmp_path / "page.html", overlay(name=MARKUP))
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"<script\b", text)) == len(re.findall(r"</script>", text)) == 2
    assert f"<title>{html.escape(video.name)}</title>" in text
    assert data_of(page)["classes"] == [MARKUP]


def test_json_reads_back_equal_and_opens_no_element() -> None:
    value = {"<!--": [MARKUP, "]]>", "é\u2028"]}
    assert "<" not in json_in_html(value)
    assert json.loads(json_in_html(value)) == value


@pytest.mark.parametrize(
    ("video", "page", "url"),
    [
        ("a.mp4", "a.html", "a.mp4"),
        ("clips/a b?.mp4", "out/a.html", "../clips/a%20b%3F.mp4"),
        ("javascript:x.mp4", "a.html", "javascript%3Ax.mp4"),
        ("ö#1.mp4", "a.html", "%C3%B6%231.mp4"),
    ],
)
def test_the_url_is_relative_and_quoted(tmp_path: Path, video: str, page: str, url: str) -> None:
    assert relative_url(tmp_path / video, tmp_path / page) == url


def test_the_page_explains_detections_outside_the_video(clip: Path, tmp_path: Path) -> None:
    page = write_player(clip, tmp_path / "page.html", overlay(time_s=902.0))
    assert "its detections are at 902 to 902 s of the video" in data_of(page)["noDetection"]
    assert data_of(write_player(clip, page, overlay(score=0.1)))["noDetection"] is None
