"""cache_video: the copy has the same frames at the same times and the audio at its offset."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from avdet.media import cache
from avdet.media.audio_track import Waveform
from avdet.media.cache import cache_video
from avdet.media.video_reader import DecodeError, VideoReader
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
def test_same_frames_at_the_same_times(tmp_path: Path, times_s: list[float], fps: float) -> None:
    waveform = _noise(2.5, 44100)
    source = write_video(tmp_path / "a.mkv", times_s=times_s, fps=fps, waveform=waveform, sample_rate=44100)
    copy = cache_video(source, tmp_path / "copy.mp4")
    assert copy.frames == len(times_s) and copy.path.stat().st_size == copy.bytes
    times = np.random.default_rng(1).uniform(-0.2, 2.6, 30)
    with VideoReader(source) as one, VideoReader(copy.path) as other:
        before, after = one.frame_batch(times), other.frame_batch(times)
        audio_before, audio_after = one.audio(0.2, 2.0, 16000), other.audio(0.2, 2.0, 16000)
        assert other.info.duration_s == pytest.approx(one.info.duration_s, abs=0.08)  # whole frames of AAC
    assert numbers_of(after.rgb) == numbers_of(before.rgb)
    assert after.times_s == pytest.approx(before.times_s, abs=1e-5)
    assert np.corrcoef(audio_before, audio_after)[0, 1] > 0.99


def test_streams_that_start_later_keep_their_offset(tmp_path: Path) -> None:
    late_audio = write_video(tmp_path / "a.mkv", num_frames=50, waveform=_noise(1.0, 16000), audio_start_s=0.5)
    late_frames = write_video(
        tmp_path / "b.mkv", times_s=[0.5 + k / 25 for k in range(30)], waveform=_noise(2.0, 16000)
    )
    for source in (late_audio, late_frames):
        copy = cache_video(source, tmp_path / "copy.mp4").path
        with VideoReader(source) as one, VideoReader(copy) as other:
            assert other.info.start_s == pytest.approx(one.info.start_s, abs=1e-3)
            assert np.corrcoef(one.audio(0.0, 1.6, 16000), other.audio(0.0, 1.6, 16000))[0, 1] > 0.98
            assert numbers_of(one.frames([0.0, 1.0, 1.5])) == numbers_of(other.frames([0.0, 1.0, 1.5]))


def test_sides_are_even_and_key_frames_close(tmp_path: Path) -> None:
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


def test_copy_with_other_times_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_video(tmp_path / "a.mp4", num_frames=50, waveform=_noise(2.0, 16000))

    class LateAudio(VideoWriter):
        def write_audio(self, waveform: Waveform) -> None:
            super().write_audio(np.roll(waveform, 40))

    class SilentAudio(VideoWriter):
        def write_audio(self, waveform: Waveform) -> None:
            super().write_audio(np.zeros_like(waveform))

    class LateFrames(VideoWriter):
        def write_frame(
            self, rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], *, time_s: float | None = None
        ) -> None:
            super().write_frame(rgb, time_s=0.0 if time_s == 0 else (time_s or 0.0) + 0.001)

    for writer, message in (
        (LateAudio, "audio of .* is 2.5 ms late"),
        (SilentAudio, "has audio at 0.0 s but its copy is silent"),
        (LateFrames, "frame 1 of .* 0.0010 s off"),
    ):
        monkeypatch.setattr(cache, "VideoWriter", writer)
        with pytest.raises(ValueError, match=message):
            cache_video(source, tmp_path / "copy.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_unreadable_source_leaves_no_file(tmp_path: Path) -> None:
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
        difference = np.abs(one.frames(times).astype(int) - other.frames(times)).mean()
    assert difference < 6
