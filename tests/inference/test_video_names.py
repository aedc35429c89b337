"""Names of videos in tables and files: unique, and never a path out of the output folder."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdet.inference.video_names import expand_videos, read_list, video_jobs


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


def test_folders_and_patterns_become_their_videos(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ["b.mp4", "a.MTS", "notes.txt", ".hidden.mp4", "deep/c.mkv", "frames/f_001.jpg", "frames/f_002.jpg"]
    for name in [*names, "frames.wav", "empty/x.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    everything = [tmp_path / name for name in ("a.MTS", "b.mp4", "deep/c.mkv", "frames")]
    with caplog.at_level(logging.WARNING):
        assert expand_videos([tmp_path]) == everything
    passed_over = f"2 files: {tmp_path / 'empty/x.txt'}, {tmp_path / 'notes.txt'}"
    assert passed_over in caplog.text
    assert expand_videos([tmp_path / "*"]) == everything
    assert expand_videos([tmp_path / "**/*.mkv", tmp_path / "frames"]) == [tmp_path / "deep/c.mkv", tmp_path / "frames"]


def test_what_is_no_folder_and_no_pattern_stays(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "[1].txt").touch()
    names = ["absent.mp4", "[1].txt", "empty", "no*.mp4", "x" * 5000, "zero\0byte"]
    paths = [tmp_path / name for name in names]
    assert expand_videos(paths) == paths


def test_a_list_has_one_path_per_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a b.mp4\n\n  /c/d.mkv \r\n", encoding="utf-8")
    assert read_list(path) == [Path("a b.mp4"), Path("/c/d.mkv")]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        read_list(path)
