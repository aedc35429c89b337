from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.segments import Segments
from avdet.datasets.video_files import (
    find_video,
    index_videos,
    match_videos,
    strip_video_suffix,
    table_name,
    videos_and_others,
    videos_by_name,
)
from tests.datasets.text_file import write_file


def folder_with(root: Path, *names: str) -> Path:
    for name in names:
        write_file(root, name)
    return root


def segments_of(*names: str) -> Segments:
    return Segments.whole_videos(np.array(names, object), {})


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        (["talk/3.mp4", "clap/3.mp4"], "talk/3", "talk/3.mp4"),
        (["talk/3.mp4", "clap/3.mp4"], "/data/k400/talk/3", "talk/3.mp4"),  # the list was written on another machine
        (["val/talk/3.mp4", "val/clap/3.mp4"], "talk/3", "val/talk/3.mp4"),
        (["riding a bike/3.mp4", "clap/3.mp4"], "Riding_a_bike/3", "riding a bike/3.mp4"),
        (["a b/3.mp4", "a_b/3.mp4"], "a_b/3", "a_b/3.mp4"),
        (["a b/3.mp4", "a_b/3.mp4"], "A b/3", None),
        (["deep/a.mp4"], "talk/a", "deep/a.mp4"),  # no other file has that name
        (["a.mp4"], "talk/a", "a.mp4"),
        (["deep/a.mp4"], "a", "deep/a.mp4"),
        (["3.mp4", "talk/3.mp4"], "3", "3.mp4"),
        (["talk/3.mp4", "old/talk/3.mp4"], "talk/3", "talk/3.mp4"),
        (["talk/3.mp4", "clap/3.mp4"], "3", None),
        (["talk/3.mp4", "clap/3.mp4"], "sing/3", None),
        (["talk/3.mp4", "talk/3.avi"], "talk/3", None),
        (["talk/3.mp4"], "talk/4", None),
    ],
)
def test_a_name_is_matched_with_its_folders(tmp_path: Path, files: list[str], name: str, expected: str | None) -> None:
    found = find_video(index_videos(folder_with(tmp_path, *files)), name)
    assert found == (None if expected is None else tmp_path / expected)


def test_an_empty_name_matches_no_file() -> None:
    assert find_video({}, "") is None


def test_linked_folders_are_searched_once(tmp_path: Path) -> None:
    folder_with(tmp_path / "disk", "talk/3.mp4", "talk/._3.mp4", "talk/4.mp4/notes")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/train").symlink_to(tmp_path / "disk")
    (tmp_path / "disk/talk/again").symlink_to(tmp_path / "disk")
    videos = index_videos(tmp_path / "videos")
    assert videos == {"3": [(("train", "talk"), tmp_path / "videos/train/talk/3.mp4")]}


def test_two_clips_of_one_name_do_not_share_a_file(tmp_path: Path) -> None:
    videos = index_videos(folder_with(tmp_path, "clap/3.mp4", "flat.mp4"))
    kept, files, faults = match_videos(segments_of("clap/3", "talk/3", "x/flat"), videos)
    assert kept.ids.tolist() == ["clap/3", "x/flat"]
    assert files == {"clap/3": tmp_path / "clap/3.mp4", "x/flat": tmp_path / "flat.mp4"}
    assert faults == ["3 videos expected, 2 found; 1 missing (talk/3) -> 1 of 3 clips skipped"]
    _, files, _ = match_videos(segments_of("clap/3", "talk/3"), index_videos(folder_with(tmp_path / "flat", "3.mp4")))
    assert not files


def test_ambiguous_files_are_counted(tmp_path: Path) -> None:
    videos = index_videos(folder_with(tmp_path, "a/x.mp4", "b/x.mp4", "y.mp4"))
    kept, _, faults = match_videos(segments_of("x", "y"), videos)
    assert kept.ids.tolist() == ["y"]
    assert faults == [
        f"1 videos match several files (x: {tmp_path / 'a/x.mp4'} or {tmp_path / 'b/x.mp4'}) -> 1 of 2 clips "
        "skipped; keep one file, or write its folder into the list"
    ]


def test_missing_videos_are_counted(tmp_path: Path) -> None:
    videos = index_videos(folder_with(tmp_path, "deep/a.mp4"))
    kept, files, faults = match_videos(segments_of("x/a", "b", "b"), videos)
    assert kept.ids.tolist() == ["x/a"] and files == {"x/a": tmp_path / "deep/a.mp4"}
    assert faults == ["2 videos expected, 1 found; 1 missing (b) -> 2 of 3 clips skipped"]


def test_only_a_video_suffix_is_stripped() -> None:
    assert strip_video_suffix("a/b.c.avi") == "a/b.c" and strip_video_suffix("a\\b.c") == "a/b.c"


def test_a_name_in_a_table_means_one_file(tmp_path: Path) -> None:
    folder_with(tmp_path, "a.mp4", "b.MKV", "notes.txt")
    (tmp_path / "c.mp4").mkdir()
    assert videos_by_name(tmp_path) == {"a": tmp_path / "a.mp4", "b": tmp_path / "b.MKV"}
    (tmp_path / "a.webm").touch()
    with pytest.raises(ValueError, match=r"has a\.mp4 and a\.webm, both named a in tables; keep only one"):
        videos_by_name(tmp_path)


def test_folders_of_frames_are_videos_of_lists(tmp_path: Path) -> None:
    folder_with(tmp_path, "run/f1/img_00001.jpg", "run/f1.wav", "walk/thumb1.jpg", "walk/a.mp4", "notes.txt")
    assert index_videos(tmp_path) == {
        "a": [(("walk",), tmp_path / "walk/a.mp4")],
        "f1": [(("run",), tmp_path / "run/f1")],
    }
    assert videos_and_others(tmp_path)[1] == [tmp_path / "notes.txt", tmp_path / "walk/thumb1.jpg"]


def test_names_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    """macOS writes decomposed letters into file names, most tables have composed ones."""
    composed, decomposed = "K\u00fche", "Ku\u0308he"
    folder_with(tmp_path, f"{decomposed}/{decomposed}.mp4", f"{decomposed}.mp4")
    assert videos_by_name(tmp_path).keys() == {composed}
    assert table_name(f"{decomposed}.MTS") == composed
    videos = index_videos(tmp_path / decomposed)
    for name in (composed, decomposed):
        assert find_video(videos, name) == tmp_path / decomposed / f"{decomposed}.mp4"
