"""Which file a list means, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.datasets.segments import Segments
from avdet.datasets.video_files import find_video, index_videos, match_videos


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def listed(*names: str) -> Segments:
    column = np.array(names, object)
    return Segments(column, column, np.zeros(len(names)), np.full(len(names), np.inf), {})


@pytest.mark.parametrize(
    ("here", "name", "meant"),
    [
        (["talk/3.mp4", "clap/3.mp4"], "talk/3", "talk/3.mp4"),
        (["talk/3.mp4", "clap/3.mp4"], "/data/k400/talk/3", "talk/3.mp4"),  # a list of another machine
        (["val/talk/3.mp4", "val/clap/3.mp4"], "talk/3", "val/talk/3.mp4"),
        (["riding a bike/3.mp4", "clap/3.mp4"], "Riding_a_bike/3", "riding a bike/3.mp4"),
        (["a b/3.mp4", "a_b/3.mp4"], "a_b/3", "a_b/3.mp4"),
        (["a b/3.mp4", "a_b/3.mp4"], "A b/3", None),
        (["deep/a.mp4"], "talk/a", "deep/a.mp4"),  # nothing else has that name
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
def test_a_list_means_the_file_in_its_folder(tmp_path: Path, here: list[str], name: str, meant: str | None) -> None:
    found = find_video(index_videos(folder_of(tmp_path, *here)), name)
    assert found == (None if meant is None else tmp_path / meant)


def test_folders_behind_links_are_looked_into_once(tmp_path: Path) -> None:
    folder_of(tmp_path / "disk", "talk/3.mp4", "talk/._3.mp4", "talk/4.mp4/notes")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/train").symlink_to(tmp_path / "disk")
    (tmp_path / "disk/talk/again").symlink_to(tmp_path / "disk")
    videos = index_videos(tmp_path / "videos")
    assert videos == {"3": [(("train", "talk"), tmp_path / "videos/train/talk/3.mp4")]}


def test_no_clip_gets_the_file_of_another_one_that_has_its_name(tmp_path: Path) -> None:
    videos = index_videos(folder_of(tmp_path, "clap/3.mp4", "flat.mp4"))
    kept, files, faults = match_videos(listed("clap/3", "talk/3", "x/flat"), videos)
    assert kept.ids.tolist() == ["clap/3", "x/flat"]
    assert files == {"clap/3": tmp_path / "clap/3.mp4", "x/flat": tmp_path / "flat.mp4"}
    assert faults == ["3 videos expected, 2 found; 1 missing (talk/3) -> 1 of 3 clips skipped"]
    _, files, _ = match_videos(listed("clap/3", "talk/3"), index_videos(folder_of(tmp_path / "flat", "3.mp4")))
    assert not files


def test_two_files_of_one_name_are_counted(tmp_path: Path) -> None:
    videos = index_videos(folder_of(tmp_path, "a/x.mp4", "b/x.mp4", "y.mp4"))
    kept, _, faults = match_videos(listed("x", "y"), videos)
    assert kept.ids.tolist() == ["y"]
    assert faults == [
        f"1 videos match several files (x: {tmp_path / 'a/x.mp4'} or {tmp_path / 'b/x.mp4'}) -> 1 of 2 clips "
        "skipped; keep one file, or write its folder into the list"
    ]
