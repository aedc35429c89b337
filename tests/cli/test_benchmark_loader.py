"""The loader's benchmark on a small film; and that the ways it compares arrive at the same clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdet.cli import benchmark_rivals as rivals
from avdet.cli.benchmark import main
from avdet.cli.benchmark_films import write_clip, write_video
from avdet.media.audio_track import Waveform
from avdet.media.clip_times import clip_span, clip_times
from avdet.media.frames_dir import FramesDir
from avdet.media.reader import VideoReader


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("films") / "clip.mp4", seconds=4)


def test_the_made_clip_is_the_same_every_time_and_the_movie_repeats_it(clip: Path, tmp_path: Path) -> None:
    assert write_clip(tmp_path / "again.mp4", seconds=4).read_bytes() == clip.read_bytes()
    with VideoReader(write_video(clip, tmp_path / "movie.mp4", minutes=1)) as movie, VideoReader(clip) as once:
        assert movie.info.duration_s == pytest.approx(60.0, abs=1.0)
        np.testing.assert_array_equal(movie.frames([34.05]), once.frames([2.05]))
        assert np.abs(movie.audio(34.0, 1.0, 16000)).max() > 0.05


@pytest.mark.parametrize("center_s", [1.3, 2.6])
def test_all_ways_hear_the_same_sound_and_see_the_same_pictures(clip: Path, tmp_path: Path, center_s: float) -> None:
    times_s, span = clip_times(center_s), clip_span(center_s)
    with VideoReader(clip, short_side=64) as video:
        sound, batch = video.audio(*span, 16000), video.frame_batch(times_s)
    for way in (rivals.plain_pyav, rivals.naive):
        heard = way(clip, times_s, *span, 64).numpy()
        assert heard.shape == sound.shape
        assert np.corrcoef(_dull(heard), _dull(sound))[0, 1] > 0.99
    rivals.write_jpegs(clip, [times_s], tmp_path / "frames", 64)
    with FramesDir(tmp_path / "frames") as jpegs:
        extracted = jpegs.frame_batch(times_s)
        assert np.corrcoef(_dull(jpegs.audio(*span, 16000)), _dull(sound))[0, 1] > 0.99
    assert extracted.times_s == pytest.approx(batch.times_s, abs=1e-3)
    assert np.abs(extracted.rgb.astype(int) - batch.rgb).mean() < 8


def _dull(sound: Waveform) -> Waveform:
    """Without what half a sample's shift would change."""
    return np.convolve(sound[:-100], np.full(16, 1 / 16)).astype(np.float32)


def test_command(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loader", "--windows", "1", "--repeats", "1", str(clip)]) == 0
    printed = capsys.readouterr().out
    for said in ("clip.mp4", "bare decoding", "ours", "JPEG frames", "from the cache", "log-mel", "transforms"):
        assert said in printed


def test_a_video_shorter_than_a_clip_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.media.make_videos import write_video as write_small

    with pytest.raises(SystemExit) as stop:
        main(["loader", str(write_small(tmp_path / "a.mp4", num_frames=25))])
    assert stop.value.code == 2
    assert "lasts 1.0 s, less than one clip (2.3 s)" in capsys.readouterr().err
