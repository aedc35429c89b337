"""Copies that are quick to cut: the same frames at the same times, and the sound where it was."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from avdet.media import cache
from avdet.media.audio_track import Waveform
from avdet.media.cache import cache_video
from avdet.media.reader import DecodeError, VideoReader
from avdet.media.video_writer import VideoWriter
from tests.media.make_videos import numbers_of, write_video
from tests.shared import SHARED, needs_shared


def _noise(seconds: float, rate: int) -> Waveform:
    return (0.2 * np.random.default_rng(0).standard_normal(round(seconds * rate))).clip(-1, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("times_s", "fps"),
    [
        ([k / 25 for k in range(60)], 25.0),
        ([k * 1001 / 30000 for k in range(60)], 29.97),
        ([0.0, 0.05, 0.3, 0.31, 0.32, 1.0, 1.9, 2.2], 25.0),
    ],
)
def test_the_same_pictures_at_the_same_times(tmp_path: Path, times_s: list[float], fps: float) -> None:
    sound = _noise(2.5, 44100)
    source = write_video(tmp_path / "a.mkv", times_s=times_s, fps=fps, sound=sound, sound_rate=44100)
    copy = cache_video(source, tmp_path / "copy.mp4")
    assert copy.frames == len(times_s) and copy.path.stat().st_size == copy.bytes
    wanted = np.random.default_rng(1).uniform(-0.2, 2.6, 30)
    with VideoReader(source) as one, VideoReader(copy.path) as other:
        before, after = one.frame_batch(wanted), other.frame_batch(wanted)
        heard, again = one.audio(0.2, 2.0, 16000), other.audio(0.2, 2.0, 16000)
        assert other.info.duration_s == pytest.approx(one.info.duration_s, abs=0.08)  # whole frames of AAC
    assert numbers_of(after.rgb) == numbers_of(before.rgb)
    assert after.times_s == pytest.approx(before.times_s, abs=1e-5)
    assert np.corrcoef(heard, again)[0, 1] > 0.99


def test_sound_and_pictures_that_start_later_stay_where_they_were(tmp_path: Path) -> None:
    late_sound = write_video(tmp_path / "a.mkv", num_frames=50, sound=_noise(1.0, 16000), sound_start_s=0.5)
    late_pictures = write_video(tmp_path / "b.mkv", times_s=[0.5 + k / 25 for k in range(30)], sound=_noise(2.0, 16000))
    for source in (late_sound, late_pictures):
        copy = cache_video(source, tmp_path / "copy.mp4").path
        with VideoReader(source) as one, VideoReader(copy) as other:
            assert other.info.start_s == pytest.approx(one.info.start_s, abs=1e-3)
            assert np.corrcoef(one.audio(0.0, 1.6, 16000), other.audio(0.0, 1.6, 16000))[0, 1] > 0.98
            assert numbers_of(one.frames([0.0, 1.0, 1.5])) == numbers_of(other.frames([0.0, 1.0, 1.5]))


def test_small_even_sides_and_key_frames_close_together(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", num_frames=40, gop=100)
    copy = cache_video(source, tmp_path / "copy.mp4", short_side=26).path
    with av.open(str(copy)) as container:
        stream = container.streams.video[0]
        keys = [k for k, frame in enumerate(container.decode(stream)) if frame.key_frame]
        assert (stream.width, stream.height) == (34, 26)
        assert not container.streams.audio
    assert keys == [0, 12, 24, 36]
    same = cache_video(source, tmp_path / "same.mp4", short_side=1000).path
    with VideoReader(same) as video:
        assert (video.info.width, video.info.height) == (64, 48)


def test_a_copy_that_is_not_equal_in_time_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_video(tmp_path / "a.mp4", num_frames=50, sound=_noise(2.0, 16000))

    class LateSound(VideoWriter):
        def write_audio(self, samples: Waveform) -> None:
            super().write_audio(np.roll(samples, 40))

    class NoSound(VideoWriter):
        def write_audio(self, samples: Waveform) -> None:
            super().write_audio(np.zeros_like(samples))

    class LatePictures(VideoWriter):
        def write_frame(
            self, rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], *, time_s: float | None = None
        ) -> None:
            super().write_frame(rgb, time_s=0.0 if time_s == 0 else (time_s or 0.0) + 0.001)

    for writer, complaint in (
        (LateSound, "sound of .* is 2.5 ms late"),
        (NoSound, "sounds at 0.0 s and its copy does not"),
        (LatePictures, "frame 1 of .* 0.0010 s from"),
    ):
        monkeypatch.setattr(cache, "VideoWriter", writer)
        with pytest.raises(ValueError, match=complaint):
            cache_video(source, tmp_path / "copy.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_what_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(DecodeError):
        cache_video(tmp_path / "a.mp4", tmp_path / "copy.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "with_audio/decord_flipping_a_pancake.mkv",
        "with_audio/tvhi_handShake_0001.avi",
        "with_audio/retalk_1.mp4",
        "edge/androidx_sample.flv",
        "edge/rails_video.mp4",
        "edge/decord_video_90.mov",
    ],
)
def test_real_files_are_copied_equal_in_time(tmp_path: Path, name: str) -> None:
    source = SHARED / "data" / "clips" / name
    copy = cache_video(source, tmp_path / "copy.mp4", short_side=64).path
    with VideoReader(source, short_side=64, even=True) as one, VideoReader(copy) as other:
        times = np.linspace(0.0, one.info.duration_s, 12)
        apart = np.abs(one.frames(times).astype(int) - other.frames(times)).mean()
    assert apart < 6
