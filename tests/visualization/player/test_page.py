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

from avdet.visualization.player.page import json_in_html, relative_url, write_player
from tests.media.make_videos import write_video
from tests.visualization.test_person_timeline import LEFT, detections

NASTY = "</script><script>window.hacked = 1</script>"


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """2 s; a loud second of 4 kHz, then silence."""
    beep = np.sin(2 * np.pi * 4000 * np.arange(16000) / 16000).astype(np.float32)
    return write_video(tmp_path / "clip.mp4", waveform=np.concatenate([beep, 0 * beep]))


def test_the_page_holds_everything_but_the_video(clip: Path, tmp_path: Path) -> None:
    page = write_player(clip, detections((0.5, LEFT, 1, 0.9, 0)), tmp_path / "out" / "page.html", label_map={1: "sit"})
    text, data = page.read_text(encoding="utf-8"), data_of(page)
    assert data["src"] == "../clip.mp4" and data["classes"] == ["sit"] and data["duration"] == pytest.approx(2, abs=0.1)
    assert not re.search(r"https?://|<link|<script src", text)


def test_the_spectrogram_shows_when_and_how_high(clip: Path, tmp_path: Path) -> None:
    data = data_of(write_player(clip, detections((0.5, LEFT, 1, 0.9, 0)), tmp_path / "page.html"))
    picture = Image.open(io.BytesIO(base64.b64decode(data["spectrogram"].partition(",")[2]))).convert("L")
    level = np.asarray(picture, np.float64)
    first, second = level[:, : level.shape[1] // 2 - 8], level[:, level.shape[1] // 2 + 8 :]
    # 4 kHz is 2146 mel, 0.756 of the 2840 mel that 8 kHz has: row 0.244 from the top.
    assert first.mean(axis=1).argmax() / level.shape[0] == pytest.approx(0.244, abs=0.03)
    assert second.mean() < first.mean() / 2


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    video = write_video(tmp_path / "<script>hacked=1<script>&'\".mp4")
    table = detections((0.5, LEFT, 1, 0.9, 0)).assign(video=video.stem)
    page = write_player(video, table, tmp_path / "page.html", label_map={1: NASTY})
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"<script\b", text)) == len(re.findall(r"</script>", text)) == 2
    assert f"<title>{html.escape(video.name)}</title>" in text
    assert data_of(page)["classes"] == [NASTY]


def test_json_reads_back_equal_and_opens_no_element() -> None:
    value = {"<!--": [NASTY, "]]>", "é\u2028"]}
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
def test_the_address_is_relative_and_quoted(tmp_path: Path, video: str, page: str, url: str) -> None:
    assert relative_url(tmp_path / video, tmp_path / page) == url


def test_a_page_says_where_its_detections_are_when_none_can_be_seen(clip: Path, tmp_path: Path) -> None:
    page = write_player(clip, detections((902.0, LEFT, 1, 0.9, 0)), tmp_path / "page.html")
    assert "its detections are at 902 to 902 s of the video" in data_of(page)["nothing"]
    assert data_of(write_player(clip, detections((0.5, LEFT, 1, 0.1, 0)), page))["nothing"] is None
