"""VideoWriter: files are read back with plain PyAV, independent of VideoReader."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.media.video_writer import VideoWriter

COLOUR = (200, 30, 60)


def _frame(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), COLOUR, np.uint8)


def _tone(seconds: float, rate: int) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def _frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(container.streams.video[0]))


def _audio(path: Path, num_samples: int) -> NDArray[np.float32]:
    waveform = np.zeros(num_samples, np.float32)
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            assert frame.pts is not None
            piece = frame.to_ndarray()[0][: max(num_samples - frame.pts, 0)]
            waveform[frame.pts : frame.pts + len(piece)] = piece
    return waveform


@pytest.mark.parametrize(
    ("fps", "rate"), [(30.0, Fraction(30)), (29.97, Fraction(30000, 1001)), (12.5, Fraction(25, 2))]
)
def test_frames_keep_their_times_and_colours(tmp_path: Path, fps: float, rate: Fraction) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=fps, width=64, height=48) as writer:
        for _ in range(10):
            writer.write_frame(_frame())
    frames = _frames(tmp_path / "a.mp4")
    assert [Fraction(f.pts or 0) * (f.time_base or 0) for f in frames] == [k / rate for k in range(10)]
    assert all(f.format.name == "yuv420p" for f in frames)
    assert np.abs(frames[5].to_ndarray(format="rgb24").astype(int) - COLOUR).max() <= 4


def test_given_times_make_a_variable_rate(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.12, 1.5]
    with VideoWriter(tmp_path / "a.mp4", fps=25, width=64, height=48) as writer:
        for time_s in times_s:
            writer.write_frame(_frame(), time_s=time_s)
    assert [f.time for f in _frames(tmp_path / "a.mp4")] == pytest.approx(times_s, abs=1e-5)


def test_odd_size_is_padded_with_its_last_column_and_row(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, width=33, height=17) as writer:
        writer.write_frame(_frame(33, 17))
    frame = _frames(tmp_path / "a.mp4")[0].to_ndarray(format="rgb24")
    assert frame.shape == (18, 34, 3)
    assert np.abs(frame.astype(int) - COLOUR).max() <= 4


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_audio_starts_at_zero_and_keeps_its_time(tmp_path: Path, rate: int) -> None:
    waveform = np.concatenate([np.zeros(rate, np.float32), _tone(1.0, rate)])
    with VideoWriter(tmp_path / "a.mp4", fps=25, width=64, height=48, sample_rate=rate) as writer:
        for _ in range(50):
            writer.write_frame(_frame())
        writer.write_audio(waveform)
    decoded = _audio(tmp_path / "a.mp4", len(waveform))
    lags = range(-50, 51)
    middle = waveform[rate // 2 : -rate // 2]
    products = [float(middle @ decoded[rate // 2 + lag : len(decoded) - rate // 2 + lag]) for lag in lags]
    assert lags[int(np.argmax(products))] == 0
    assert np.corrcoef(waveform, decoded)[0, 1] > 0.98


def _write_in_blocks(path: Path, *, audio_first: bool, block: int) -> bytes:
    waveform = _tone(12.0, 16000)
    with VideoWriter(path, fps=10, width=64, height=48, sample_rate=16000) as writer:
        if audio_first:
            writer.write_audio(waveform)
        for _ in range(120):
            writer.write_frame(_frame())
        if not audio_first:
            for start in range(0, len(waveform), block):
                writer.write_audio(waveform[start : start + block])
    return path.read_bytes()


def test_order_of_blocks_does_not_change_a_byte(tmp_path: Path) -> None:
    first = _write_in_blocks(tmp_path / "a.mp4", audio_first=True, block=1)
    assert _write_in_blocks(tmp_path / "b.mp4", audio_first=False, block=777) == first
    assert _write_in_blocks(tmp_path / "c.mp4", audio_first=False, block=100_000) == first


def test_small_frames_give_the_same_bytes_every_time(tmp_path: Path) -> None:
    """At this size x264's mbtree depends on uninitialised memory, so each run fills memory differently."""
    texture = np.random.default_rng(0).integers(0, 255, (28, 48, 3), np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    written = set()
    for run in range(6):
        filler = [np.full(1000 * 3**k, run, np.uint8) for k in range(7)]
        with VideoWriter(tmp_path / "a.mp4", fps=25, width=96, height=72) as writer:
            for k in range(80):
                writer.write_frame(np.ascontiguousarray(texture[k // 4 :][:72, k:][:, :96]))
        written.add((tmp_path / "a.mp4").read_bytes())
        assert len(filler) == 7
    assert len(written) == 1


def test_gop_sets_the_key_frame_distance(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, width=64, height=48, gop=7, tune="fastdecode") as writer:
        for _ in range(30):
            writer.write_frame(_frame())
    assert [k for k, frame in enumerate(_frames(tmp_path / "a.mp4")) if frame.key_frame] == [0, 7, 14, 21, 28]
    with pytest.raises(ValueError, match="gop is 0"):
        VideoWriter(tmp_path / "b.mp4", fps=25, width=64, height=48, gop=0)


def test_frames_written_before_the_audio_are_interleaved_with_it(tmp_path: Path) -> None:
    _write_in_blocks(tmp_path / "a.mp4", audio_first=False, block=5000)
    with av.open(str(tmp_path / "a.mp4")) as container:
        packets = [p for p in container.demux() if p.dts is not None]
        in_file = sorted(packets, key=lambda packet: packet.pos or 0)
    times = [float((p.dts or 0) * (p.time_base or 0)) for p in in_file]
    assert max(abs(a - b) for a, b in itertools.pairwise(times)) < 1.0


def test_index_precedes_the_frames(tmp_path: Path) -> None:
    data = _write_in_blocks(tmp_path / "a.mp4", audio_first=True, block=1)
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_exception_leaves_no_file(tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with VideoWriter(tmp_path / "a.mp4", fps=25, width=64, height=48) as writer:
            writer.write_frame(_frame())
            raise RuntimeError("the caller's own mistake")

    with pytest.raises(RuntimeError, match="own mistake"):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_older_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    with VideoWriter(path, fps=25, width=64, height=48) as writer:
        writer.write_frame(_frame())
        assert path.read_bytes() == b"older"
    assert len(_frames(path)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_file_without_frames_is_rejected(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"a\.mp4 has no frame"),
        VideoWriter(tmp_path / "a.mp4", fps=25, width=8, height=8),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"fps": 0}, "fps is 0"),
        ({"width": 0}, "frame size is 0x48"),
        ({"sample_rate": 37000}, "sample_rate is 37000.*48000"),
    ],
)
def test_invalid_numbers_are_rejected(tmp_path: Path, numbers: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VideoWriter(
            tmp_path / "a.mp4",
            fps=numbers.get("fps", 25),
            width=numbers.get("width", 64),
            height=48,
            sample_rate=numbers.get("sample_rate"),
        )
    assert list(tmp_path.iterdir()) == []


def test_invalid_frames_and_audio_are_rejected(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, width=64, height=48) as writer:
        writer.write_frame(_frame(), time_s=0.5)
        with pytest.raises(ValueError, match=r"uint8 \(48, 60, 3\); it must be uint8 \(48, 64, 3\)"):
            writer.write_frame(_frame(60, 48))
        with pytest.raises(ValueError, match="not after the previous one"):
            writer.write_frame(_frame(), time_s=0.5)
        with pytest.raises(ValueError, match="pass sample_rate to VideoWriter"):
            writer.write_audio(_tone(0.1, 8000))


def test_audio_must_be_finite_and_mono(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=25, width=64, height=48, sample_rate=8000) as writer:
        writer.write_frame(_frame())
        for bad in (np.full(100, np.nan, np.float32), np.zeros((2, 100), np.float32)):
            with pytest.raises(ValueError, match=r"must be \(n,\) and finite"):
                writer.write_audio(bad)
