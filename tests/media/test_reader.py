from __future__ import annotations

from pathlib import Path

import pytest

from avdet.media.reader import VideoReader
from tests.media.movies import number_of, numbers_of, write_movie

CONTAINERS = [
    ("a.mp4", "libx264", {}),
    ("a.mp4", "libx264", {"x264-params": "open-gop=1:b-pyramid=normal:bframes=3"}),
    ("a.mov", "libx265", {"x265-params": "log-level=none:bframes=3"}),
    ("a.mp4", "mpeg4", {}),
    ("a.mkv", "libx264", {}),
    ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    ("a.avi", "libx264", {}),
    ("a.avi", "mpeg4", {}),
    ("a.ts", "libx264", {}),
    ("a.flv", "libx264", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), CONTAINERS)
def test_the_frame_on_screen_in_any_container(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = write_movie(tmp_path / name, num_frames=50, codec=codec, options=options)
    numbers = [0, 49, 23, 24, 25, 1, 23, 36, 11, 12, 13]
    with VideoReader(path) as video:
        at_start = video.frames([k / 25 for k in numbers])  # also where the container rounds times to 1 ms
        in_the_middle = video.frames([(k + 0.5) / 25 for k in numbers])
        one_by_one = [number_of(video.frames([(k + 0.5) / 25])[0]) for k in numbers]
    assert numbers_of(at_start) == numbers_of(in_the_middle) == one_by_one == numbers
