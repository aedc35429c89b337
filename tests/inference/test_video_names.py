"""Names of videos in tables and files: unique, and never a path out of the output folder."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdet.inference.video_names import read_list, video_jobs


def test_equal_names_in_different_folders_are_numbered(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        jobs = video_jobs([Path("a/x.mp4"), Path("b/x.mkv"), Path("c/X-2.mp4"), Path("d/x.mp4"), Path("a/../a/x.mp4")])
    assert [job.name for job in jobs] == ["x", "x-2", "X-2-2", "x-3"]
    assert "'b/x.mkv' is named x-2" in caplog.text and "listed twice" in caplog.text


def test_unsafe_names_are_changed(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    videos = ["../../x.mp4", "new\nline.mp4", 'com,ma "q".mp4', ".hidden.mp4", "é" * 200 + ".mp4", "bad\udcff.mp4"]
    names = [job.name for job in video_jobs([*map(Path, videos), tmp_path / "frames" / ".." / "frames"])]
    assert names == ["x", "new_line", "com_ma _q_", "hidden", "é" * 90, "bad_", "frames"]


@given(st.lists(st.text(max_size=8), max_size=6))
def test_every_name_is_unique_and_safe(stems: list[str]) -> None:
    paths = [Path(f"{index}") / f"{stem.replace(chr(0), '').replace('/', '')}.mp4" for index, stem in enumerate(stems)]
    names = [job.name for job in video_jobs(paths)]
    assert len({name.casefold() for name in names}) == len(paths)
    for name in names:
        assert (Path("out") / f"{name}.mp4").resolve().parent == Path("out").resolve()
        assert name.isprintable() and "," not in name and not name.startswith(".")


def test_a_list_has_one_path_per_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a b.mp4\n\n  /c/d.mkv \r\n", encoding="utf-8")
    assert read_list(path) == [Path("a b.mp4"), Path("/c/d.mkv")]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        read_list(path)
