"""VideoSource: every source satisfies the protocol, and mypy proves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from avdet.media.array_video import ArrayVideo
from avdet.media.frames_dir import FramesDir
from avdet.media.video_reader import VideoReader
from avdet.media.video_source import VideoSource, duration_of, early_end_s, open_video
from tests.media.make_videos import numbered, numbers_of, write_broken_download, write_frames, write_video

NUM_FRAMES, FPS = 20, 10


def of_file(folder: Path) -> VideoSource:
    return VideoReader(write_video(folder / "video.mp4", num_frames=NUM_FRAMES, fps=FPS))


def of_folder(folder: Path) -> VideoSource:
    return FramesDir(write_frames(folder / "frames", [k + 1 for k in range(NUM_FRAMES)], first_number=0), fps=FPS)


def of_array(_: Path) -> VideoSource:
    return ArrayVideo(np.stack([numbered(k) for k in range(NUM_FRAMES)]), fps=FPS)


@pytest.mark.parametrize("source", [of_file, of_folder, of_array])
def test_all_sources_return_the_same_frames(source: Callable[[Path], VideoSource], tmp_path: Path) -> None:
    times_s = [0.0, -1.0, 0.5, 1.25, 1.9, 2.0, 50.0]
    with source(tmp_path) as video:
        batch = video.frame_batch(times_s)
        np.testing.assert_array_equal(batch.rgb, video.frames(times_s))
        assert video.info.fps == FPS and video.info.duration_s == pytest.approx(2.0) and not video.info.has_audio
    assert numbers_of(batch.rgb) == [0, 0, 5, 12, 19, 19, 19]
    assert batch.times_s == pytest.approx([0, 0, 0.5, 1.2, 1.9, 1.9, 1.9])
    assert batch.past_end.tolist() == [False] * 5 + [True] * 2


@pytest.mark.parametrize("source", [of_file, of_folder, of_array])
def test_times_must_be_finite(source: Callable[[Path], VideoSource], tmp_path: Path) -> None:
    with source(tmp_path) as video, pytest.raises(ValueError, match="give one or more finite seconds"):
        video.frames([0.0, np.nan])


def test_early_end_of_a_truncated_file(tmp_path: Path) -> None:
    path = write_broken_download(tmp_path / "broken.mp4")
    with open_video(path) as video:
        last_s = [time_s for time_s, _ in video.play()][-1]
        assert early_end_s(video) == pytest.approx(last_s + 0.1)
    assert last_s < 5.0 and duration_of(path) == pytest.approx(6.0)


def test_complete_videos_have_no_early_end(tmp_path: Path) -> None:
    file = write_video(tmp_path / "video.mp4", num_frames=NUM_FRAMES, fps=FPS)
    folder = write_frames(tmp_path / "frames", range(1, 61))
    for path in (file, folder):
        with open_video(path) as video:
            assert early_end_s(video) is None and duration_of(path) == pytest.approx(2.0) == video.info.duration_s
