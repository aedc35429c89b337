"""When the windows of a video are: numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.data.clip_extractor import ClipExtractor
from avdet.inference.keyframe_reader import open_source
from avdet.inference.windows import Windows, read_windows, sliding_windows, spread_windows
from avdet.media.array_video import ArrayVideo
from avdet.media.video_reader import VideoReader
from avdet.overlap import StageTimes
from tests.inference.tiny_detector import write_noise_video


def array(seconds: int) -> ArrayVideo:
    return ArrayVideo(np.zeros((seconds * 10, 40, 60, 3), np.uint8), fps=10.0, name="a")


def spans(windows: Windows) -> list[tuple[float, float]]:
    return list(zip(windows.start_s.round(6).tolist(), windows.end_s.round(6).tolist(), strict=True))


def test_sliding_windows_start_at_multiples_of_the_distance() -> None:
    assert spans(sliding_windows(array(10), 2.0, 3.0, 8)) == [
        (0, 2),
        (3, 5),
        (6, 8),
    ]  # half of one at 9 s would lie outside
    assert spans(sliding_windows(array(10), 2.0, 2.9, 8)) == [(0, 2), (2.9, 4.9), (5.8, 7.8), (8.7, 10)]
    assert spans(sliding_windows(array(2), 2.0, 1.0, 8)) == [(0, 2)]
    assert spans(sliding_windows(array(1), 2.0, 1.0, 8)) == [(0, 1)]
    assert sliding_windows(array(1), 2.0, 1.0, 8).centers_s == (0.5,)
    assert spans(sliding_windows(array(3), 2.0, 100.0, 8)) == [(0, 2)]


def test_spread_windows_reach_from_the_start_to_the_end() -> None:
    windows = spread_windows(array(10), 2.0, 3, 2)
    assert spans(windows) == [(0, 2), (4, 6), (8, 10)]
    assert windows.chunks == [(1.0, 5.0), (9.0,)]
    assert windows.name == "a"


@pytest.mark.parametrize("every_s", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_distance_is_refused(every_s: float) -> None:
    with pytest.raises(ValueError, match="must be a finite number above 0"):
        sliding_windows(array(3), 1.0, every_s, 8)


def test_a_file_that_the_caller_opened_stays_open(tmp_path: Path) -> None:
    path = write_noise_video(tmp_path / "clip.mp4", 3)
    with VideoReader(path) as reader:
        windows = spread_windows(reader, 1.0, 2, 8)
        assert windows.name == "clip" and windows.limits_s[1] == pytest.approx(3.0, abs=0.1)
        with open_source(reader, short_side=24) as video:
            assert video.frames([0.5]).shape == (1, 24, 32, 3)
            assert video.frame_batch([9.0]).past_end.all() and video.info == reader.info
        assert reader.frames([0.5]).shape == (1, 48, 64, 3)


def test_chunks_that_are_done_are_not_read() -> None:
    times, extractor = StageTimes(), ClipExtractor(8, 2, 4.0, None)  # 4 frames of 2 s
    windows = sliding_windows(array(6), extractor.span_s, 1.0, 2)
    assert windows.chunks == [(1.0, 2.0), (3.0, 4.0), (5.0,)]
    read = list(read_windows(windows, extractor, short_side=20, done={1}, times=times))
    assert [(number, [clip.time_s for clip in clips]) for number, clips in read] == [(0, [1.0, 2.0]), (2, [5.0])]
    assert {tuple(clip.frames.shape) for _, clips in read for clip in clips} == {(3, 4, 20, 30)}
    assert list(times.busy_s) == ["decode"]
    assert list(read_windows(windows, extractor, short_side=20, done={0, 1, 2}, times=times)) == []
