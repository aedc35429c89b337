"""AudioTrack: chirps are read back at their exact time, at any rate, in any codec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from avdet.media.audio_track import AudioTrack, Waveform
from avdet.media.media_file import DecodeError, MediaFile
from tests.media.make_videos import write_video


def _chirp(seconds: float, rate: int, start_s: float = 0.0) -> Waveform:
    """A tone that rises from 200 Hz by 300 Hz per second, so that every time is distinct."""
    t = start_s + np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * (200 * t + 150 * t**2))).astype(np.float32)


def _write(path: Path, samples: NDArray[np.generic], *, rate: int, codec: str, fmt: str, layout: str) -> Path:
    """Writes interleaved samples (1, n * channels) as an audio file."""
    with av.open(str(path), "w") as container:
        stream = cast(AudioStream, container.add_stream(codec, rate=rate, layout=layout))
        frame = av.AudioFrame.from_ndarray(samples, format=fmt, layout=layout)  # type: ignore[arg-type]
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("start_s", [0.0, 0.4321, 2.0])
def test_any_rate_is_resampled_at_the_exact_time(tmp_path: Path, rate: int, start_s: float) -> None:
    path = _write(tmp_path / "a.wav", _chirp(4.0, rate)[None], rate=rate, codec="pcm_f32le", fmt="flt", layout="mono")
    with MediaFile(path) as file:
        waveform = AudioTrack(file).read(start_s, 1.0, 16000)
    assert waveform.shape == (16000,) and waveform.dtype == np.float32
    expected = _chirp(1.0, 16000, round(start_s * rate) / rate)
    inside = slice(400 if start_s == 0 else 0, None)  # at the start the filter has no earlier samples
    np.testing.assert_allclose(waveform[inside], expected[inside], atol=2e-3)


@pytest.mark.parametrize(
    ("codec", "fmt", "scale", "dtype"),
    [
        ("pcm_u8", "u8", 128, np.uint8),
        ("pcm_s16le", "s16", 2**15, np.int16),
        ("pcm_s32le", "s32", 2**31, np.int32),
        ("pcm_f32le", "flt", 1, np.float32),
        ("pcm_f64le", "dbl", 1, np.float64),
    ],
)
def test_integers_and_floats_give_the_same_waveform(
    tmp_path: Path, codec: str, fmt: str, scale: int, dtype: type[np.generic]
) -> None:
    chirp = _chirp(1.0, 16000).astype(np.float64)
    stored = (chirp * scale + (128 if fmt == "u8" else 0)).astype(dtype)[None]
    path = _write(tmp_path / "a.wav", stored, rate=16000, codec=codec, fmt=fmt, layout="mono")
    with MediaFile(path) as file:
        np.testing.assert_allclose(
            AudioTrack(file).read(0, 1.0, 16000), chirp, atol=1.01 / 128 if fmt == "u8" else 1e-4
        )


@pytest.mark.parametrize(("layout", "channels"), [("stereo", 2), ("5.1", 6), ("7.1", 8)])
def test_mono_is_the_mean_of_the_channels(tmp_path: Path, layout: str, channels: int) -> None:
    gains = np.linspace(0.1, 1.0, channels)
    interleaved = (_chirp(1.0, 8000)[:, None] * gains).astype(np.float32).reshape(1, -1)
    path = _write(tmp_path / "a.wav", interleaved, rate=8000, codec="pcm_f32le", fmt="flt", layout=layout)
    with MediaFile(path) as file:
        np.testing.assert_allclose(AudioTrack(file).read(0, 1.0, 8000), _chirp(1.0, 8000) * gains.mean(), atol=1e-5)


def test_samples_outside_the_track_are_zero(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "a.wav", np.ones((1, 8000), np.float32), rate=8000, codec="pcm_f32le", fmt="flt", layout="mono"
    )
    with MediaFile(path) as file:
        across = AudioTrack(file).read(-0.5, 2.0, 8000)
        assert not across[:4000].any() and not across[12000:].any()
        assert (across[4000:12000] == 1).all()
        assert not AudioTrack(file).read(50.0, 0.1, 16000).any()
        assert not AudioTrack(file).read(-3.0, 1.0, 16000).any()
        assert AudioTrack(file).read(0.0, 0.0, 16000).shape == (0,)


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "aac"), ("mkv", "libopus"), ("mp4", "libmp3lame"), ("ts", "aac"), ("avi", "mp2")]
)
def test_seeking_finds_the_same_samples_as_reading_all(tmp_path: Path, container: str, codec: str) -> None:
    path = write_video(
        tmp_path / f"a.{container}",
        num_frames=250,
        codec="mpeg4",
        waveform=_chirp(10.0, 48000),
        sample_rate=48000,
        audio_codec=codec,
    )
    with MediaFile(path) as file:
        whole = AudioTrack(file).read(0.0, 10.0, 16000)
        for start_s in (7.0, 1.5, 4.25):
            piece = AudioTrack(file).read(start_s, 1.0, 16000)
            begin = round(start_s * 16000)
            products = [float(piece[100:-100] @ whole[begin + lag + 100 :][:15800]) for lag in range(-80, 81)]
            # Matroska and AVI round times to about a millisecond; the others are exact to a sample.
            assert abs(int(np.argmax(products)) - 80) <= (16 if container in {"mkv", "avi"} else 1)
            shifted = whole[begin + int(np.argmax(products)) - 80 :][:16000]
            assert np.corrcoef(piece, shifted)[0, 1] > 0.995


def test_gap_in_the_track_is_zero_and_shifts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for start in (0, 16000):  # 0.5 s of audio, a gap of 0.5 s, 0.5 s of audio
            for k in range(start, start + 8000, 800):
                frame = av.AudioFrame.from_ndarray(np.full((1, 800), 16384, np.int16), format="s16", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 16000, k, Fraction(1, 16000)
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with MediaFile(path) as file:
        waveform = AudioTrack(file).read(0.0, 1.5, 16000)
    assert (waveform[:8000] == 0.5).all() and not waveform[8000:16000].any() and (waveform[16000:] == 0.5).all()


def test_file_without_audio_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match=r"a\.mp4 cannot be opened: it has no audio track"):
        AudioTrack(MediaFile(write_video(tmp_path / "a.mp4", num_frames=5)))


@pytest.mark.parametrize(
    ("start_s", "duration_s", "rate"), [(float("nan"), 1.0, 16000), (0.0, -1.0, 16000), (0.0, 1.0, 0)]
)
def test_invalid_spans_are_rejected(tmp_path: Path, start_s: float, duration_s: float, rate: int) -> None:
    path = write_video(tmp_path / "a.mp4", num_frames=5, waveform=_chirp(0.2, 16000))
    with MediaFile(path) as file, pytest.raises(ValueError, match="the times must be finite"):
        AudioTrack(file).read(start_s, duration_s, rate)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("start_s", [-0.36, 0.2, 1.7])
def test_earlier_reads_change_no_sample(tmp_path: Path, suffix: str, start_s: float) -> None:
    path = write_video(tmp_path / f"a{suffix}", num_frames=100, waveform=_chirp(4.0, 16000))
    with MediaFile(path) as file:
        expected = AudioTrack(file).read(start_s, 1.0, 16000)
    with MediaFile(path) as file:
        track = AudioTrack(file)
        for earlier_s in (2.5, 0.7):
            track.read(earlier_s, 1.0, 16000)
        np.testing.assert_array_equal(track.read(start_s, 1.0, 16000), expected)
