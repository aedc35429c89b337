"""detect_actions.py --player, --json and --subtitles, also after an interrupted or repeated command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from avdet.cli.detect_actions import main
from tests.cli.refusal import refusal
from tests.inference.tiny_detector import two_persons, write_noise_video


@pytest.fixture
def argv(tmp_path: Path, action_checkpoint: str) -> list[str]:
    """a.mp4, a copy b.mp4 and broken.mp4."""
    write_noise_video(tmp_path / "a.mp4", 6)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "b.mp4")
    (tmp_path / "broken.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:2000])
    boxes = "".join(two_persons(name, [1.0, 2.0, 3.0, 4.0]).to_csv(index=False, header=False) for name in "ab")
    (tmp_path / "boxes.csv").write_text(boxes)
    videos = [str(tmp_path / f"{name}.mp4") for name in ("a", "broken", "b")]
    options = ["--checkpoint", action_checkpoint, "--boxes", str(tmp_path / "boxes.csv"), "--no-video"]
    return [*videos, *options, "--output", str(tmp_path / "out"), "--player"]


def test_a_page_per_video_and_an_index(argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    out = tmp_path / "out"
    assert sorted(path.name for path in out.glob("*.html")) == ["a.html", "b.html", "index.html"]
    assert '"src":"../a.mp4"' in (out / "a.html").read_text(encoding="utf-8")
    index = (out / "index.html").read_text(encoding="utf-8")
    assert '<a href="a.html">a</a>' in index and '<a href="b.html#t=' in index
    assert "<td>broken</td>" in index and "cannot be read" in index
    assert "index.html: open it in a browser" in capsys.readouterr().out.replace("\n", "")
    (out / "a.html").unlink()
    assert main(argv) == 0
    assert (out / "a.html").exists()
    assert capsys.readouterr().out.count("already done") == 1


def test_no_file_of_another_program_is_overwritten(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/b.html").write_text("notes")
    assert "b.html exists and is not from this command" in refusal(main, capsys, *argv)
    assert (tmp_path / "out/b.html").read_text() == "notes"


def test_a_video_named_index_is_refused(argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").rename(tmp_path / "index.mp4")
    assert "a video is named index" in refusal(main, capsys, str(tmp_path / "index.mp4"), *argv[1:])


def test_ray_has_no_pages(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--ray writes parquet tables alone" in refusal(main, capsys, *argv, "--ray", "local")


def test_documents_of_each_video(argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, argv = tmp_path / "out", [*argv[:-1], "--json", "--subtitles", "vtt", "--min-score", "0"]
    assert main(argv) == 0
    document = json.loads((out / "a.json").read_text(encoding="utf-8"))
    assert [len(person["boxes"]) for person in document["persons"]] == [4, 4]
    assert len((out / "a.vtt").read_text(encoding="utf-8").split(" --> ")) == 2
    (out / "b.vtt").unlink()
    assert main(argv) == 0 and (out / "b.vtt").exists()
    assert capsys.readouterr().out.count("already done") == 1
    shutil.rmtree(out)
    out.mkdir()
    (out / "b.json").write_text("notes")
    assert "b.json exists and is not from this command" in refusal(main, capsys, *argv)


def test_avas_form_after_tables_with_a_header(argv: list[str], tmp_path: Path) -> None:
    for options, columns in ([], 10), (["--no-header"], 8):
        assert main([argv[0], *argv[3:-1], *options]) == 0
        lines = (tmp_path / "out/detections.csv").read_text().splitlines()
        assert (lines[0].count(",") + 1, len(lines)) == (columns, 4 * 2 * 9 + (columns == 10))
