"""benchmark.py loader on a short video, and whether the loaders that it compares return the same clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.media.clip_times import clip_span, clip_times
from avdet.media.frames_dir import FramesDir
from avdet.media.video_reader import VideoReader
from benchmark import main
from benchmarks import baseline_loaders as baselines
from benchmarks.benchmark_videos import write_clip, write_long_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("videos") / "clip.mp4", seconds=4)


def test_the_clip_is_reproducible_and_the_long_video_repeats_it(clip: Path, tmp_path: Path) -> None:
    assert write_clip(tmp_path / "again.mp4", seconds=4).read_bytes() == clip.read_bytes()
    long_path = write_long_video(clip, tmp_path / "long.mp4", minutes=1)
    with VideoReader(long_path) as long_video, VideoReader(clip) as once:
        assert long_video.info.duration_s == pytest.approx(60.0, abs=1.0)
        np.testing.assert_array_equal(long_video.frames([34.05]), once.frames([2.05]))
        assert np.abs(long_video.audio(34.0, 1.0, 16000)).max() > 0.05


@pytest.mark.parametrize("center_s", [1.3, 2.6])
def test_all_loaders_return_the_same_audio_and_frames(clip: Path, tmp_path: Path, center_s: float) -> None:
    times_s, span = clip_times(center_s), clip_span(center_s)
    with VideoReader(clip, short_side=64) as video:
        audio, batch = video.audio(*span, 16000), video.frame_batch(times_s)
    for read in (baselines.plain_pyav, baselines.naive):
        baseline_audio = read(clip, times_s, *span, 64).numpy()
        assert baseline_audio.shape == audio.shape
        assert np.corrcoef(_low_pass(baseline_audio), _low_pass(audio))[0, 1] > 0.99
    baselines.write_jpegs(clip, [times_s], tmp_path / "frames", 64)
    with FramesDir(tmp_path / "frames") as jpegs:
        extracted = jpegs.frame_batch(times_s)
        assert np.corrcoef(_low_pass(jpegs.audio(*span, 16000)), _low_pass(audio))[0, 1] > 0.99
    assert extracted.times_s == pytest.approx(batch.times_s, abs=1e-3)
    assert np.abs(extracted.rgb.astype(int) - batch.rgb).mean() < 8


def _low_pass(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Removes the frequencies that a shift of half a sample would change."""
    return np.convolve(audio[:-100], np.full(16, 1 / 16)).astype(np.float32)


def test_command(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loader", "--windows", "1", "--repeats", "1", str(clip)]) == 0
    printed = capsys.readouterr().out
    for text in ("clip.mp4", "bare decoding", "avdet", "JPEG frames", "from the cache", "log-mel", "transforms"):
        assert text in printed


def test_a_video_shorter_than_a_clip_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.media.make_videos import write_video as write_small

    with pytest.raises(SystemExit) as stop:
        main(["loader", str(write_small(tmp_path / "a.mp4", num_frames=25))])
    assert stop.value.code == 2
    assert "lasts 1.0 s, less than one clip (2.3 s)" in capsys.readouterr().err
