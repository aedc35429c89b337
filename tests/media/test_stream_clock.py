"""Recordings that were joined byte by byte: their clock goes back, which every way of reading refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.media.media_file import DecodeError, frame_times
from avdet.media.stream_clock import largest_setback
from avdet.media.video_reader import VideoReader
from tests.media.make_videos import write_video


def joined(folder: Path, suffix: str) -> Path:
    codec = "mpeg2video" if suffix == ".mpg" else "libx264"
    one = write_video(folder / f"one{suffix}", num_frames=75, codec=codec)
    path = folder / f"joined{suffix}"
    path.write_bytes(one.read_bytes() * 2)
    return path


def test_steps_back_are_measured_across_the_restart_of_the_clock() -> None:
    assert largest_setback([0, 90, 180, 60, 200]) == 120
    assert largest_setback([2**33 - 90, 10, 100]) == 0
    assert largest_setback([10, 2**33 - 90]) == 100
    assert largest_setback([]) == 0


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_joined_streams_are_refused_when_they_are_opened(tmp_path: Path, suffix: str) -> None:
    path = joined(tmp_path, suffix)
    with VideoReader(tmp_path / f"one{suffix}") as video:
        assert len(video.frames([0.5, 2.5])) == 2
    for read in (VideoReader, frame_times):
        with pytest.raises(DecodeError, match=rf"goes back by \d\.\d s in mid-file.*ffmpeg -i joined\{suffix} -c copy"):
            read(path)


def test_a_joined_file_of_another_format_is_refused_where_the_clock_goes_back(tmp_path: Path) -> None:
    path = joined(tmp_path, ".mkv")
    with pytest.raises(DecodeError, match=r"goes back by 2\.\d s in mid-file"):
        frame_times(path)
    with VideoReader(path) as video:
        assert len(video.frames([0.5])) == 1
        with pytest.raises(DecodeError, match=r"goes back by 2\.\d s in mid-file"):
            list(video.play())
