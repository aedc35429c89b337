"""VideoReader on unusual files: rare containers, damage, clocks that wrap, truncated recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet
from av.stream import Stream

from avdet.media.audio_track import Waveform
from avdet.media.video_reader import DecodeError, VideoReader
from tests.media.make_videos import number_of, numbered, numbers_of, write_video

TS_PACKET, TS_WRAP_S = 188, 2**33 / 90_000


def _noise(seconds: float = 2.0, rate: int = 16000) -> Waveform:
    return (0.3 * np.random.default_rng(0).standard_normal((2, round(seconds * rate)))).clip(-1, 1).astype(np.float32)


def _remuxed(source: Path, target: Path, change: Callable[[Packet[Stream]], None]) -> Path:
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        streams = [after.add_stream_from_template(s) for s in (*before.streams.video, *before.streams.audio)]
        for packet in [packet for packet in before.demux() if packet.dts is not None]:
            change(packet)
            packet.stream = streams[packet.stream_index]
            after.mux(packet)
    return target


def _later(seconds: float) -> Callable[[Packet[Stream]], None]:
    def change(packet: Packet[Stream]) -> None:
        assert packet.time_base is not None
        packet.pts = (packet.pts or 0) + round(seconds / packet.time_base)
        packet.dts = (packet.dts or 0) + round(seconds / packet.time_base)

    return change


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.webm", "libvpx", "yuv420p"),
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.ts", "mpeg2video", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
        ("a.apng", "apng", "rgb24"),
        ("a.y4m", "wrapped_avframe", "yuv420p"),
    ],
)
def test_rare_containers(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    path = write_video(tmp_path / name, num_frames=40, codec=codec, pix_fmt=pix_fmt, b_frames=0)
    with VideoReader(path) as video:
        assert numbers_of(video.frames([0.5, 1.59, 9.0, 0.0])) == [12, 39, 39, 0]
        assert [number_of(frame) for _, frame in video.play()] == list(range(40))


def test_still_image_and_single_frame_video(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "still.png"), numbered(7))
    cv2.imwrite(str(tmp_path / "still.jpg"), numbered(7))
    (tmp_path / "named.mp4").write_bytes((tmp_path / "still.jpg").read_bytes())
    write_video(tmp_path / "one.mp4", frames=[numbered(7)], num_frames=1)
    for name in ("still.png", "still.jpg", "named.mp4", "one.mp4"):
        with VideoReader(tmp_path / name) as video:
            assert numbers_of(video.frames([-1.0, 0.0, 5.0])) == [7, 7, 7]


@pytest.mark.parametrize("start_s", [5000.0, TS_WRAP_S - 1.0])
def test_broadcast_clock_that_is_late_or_wraps_starts_at_zero(tmp_path: Path, start_s: float) -> None:
    """The clock wraps within the second second, for frames and audio."""
    whole = write_video(tmp_path / "a.mp4", num_frames=50, waveform=_noise())
    path = _remuxed(whole, tmp_path / "a.ts", _later(start_s))
    with VideoReader(path) as video, VideoReader(whole) as source:
        offset_s = video.info.start_s - source.info.start_s
        assert numbers_of(video.frames(np.array([0.1, 0.9, 1.1, 1.9]) + offset_s)) == [2, 22, 27, 47]
        actual, expected = video.audio(0.5 + offset_s, 1.2, 16000), source.audio(0.5, 1.2, 16000)
    kernel = np.full(80, 1 / 80)  # the clock's ticks are longer than samples
    assert np.corrcoef(np.convolve(actual, kernel), np.convolve(expected, kernel))[0, 1] > 0.95


def test_recording_that_begins_between_key_frames_starts_with_the_first_decodable_frame(tmp_path: Path) -> None:
    whole = _remuxed(write_video(tmp_path / "a.mp4", num_frames=60), tmp_path / "whole.ts", _later(10.0))
    data = whole.read_bytes()
    packets = [data[k : k + TS_PACKET] for k in range(0, len(data), TS_PACKET)]
    tables = packets[:3]
    cut = tmp_path / "cut.ts"
    cut.write_bytes(b"".join(tables + packets[len(packets) // 6 :]))
    with VideoReader(cut) as video:
        played = [number_of(frame) for _, frame in video.play()]
        first = video.frames([0.0])
        assert numbers_of(first) == played[:1] and played[0] % 12 == 0 and played[0] > 0
        assert played == list(range(played[0], 60))
        assert number_of(video.frames([video.info.duration_s - 0.1])[0]) in (57, 58)


def _with_damage(path: Path, seed: int, share: float) -> Path:
    rng = np.random.default_rng(seed)
    data = np.frombuffer(path.read_bytes(), np.uint8).copy()
    places = rng.integers(0, len(data), round(share * len(data)))
    data[places] = rng.integers(0, 256, len(places))
    damaged = path.with_name(f"damaged{seed}{path.suffix}")
    damaged.write_bytes(data.tobytes())
    return damaged


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "flv"])
def test_damaged_files_give_frames_and_audio_or_one_error(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", num_frames=50, waveform=_noise(rate=44100), sample_rate=44100)
    read = 0
    for seed in range(12):
        try:
            with VideoReader(_with_damage(path, seed, 0.0005), short_side=24) as video:
                frames = video.frames([0.0, 0.5, video.info.duration_s / 2, 1.99, 40.0])
                waveform = video.audio(0.0, 2.0, 16000)
        except DecodeError as error:
            assert error.reason
            continue
        read += 1
        assert frames.shape[0] == 5 and min(frames.shape[1:3]) == 24
        assert waveform.shape == (32000,) and np.isfinite(waveform).all() and np.abs(waveform).max() <= 1.0
    assert read >= 4


def test_audio_beyond_full_scale_and_nan_stay_in_range(tmp_path: Path) -> None:
    stored = np.zeros((1, 16000), np.float32)
    stored[0, 4000:8000], stored[0, 9000:9100] = 40.0, np.nan
    path = write_video(tmp_path / "a.mkv", num_frames=25, waveform=stored, audio_codec="pcm_f32le")
    with VideoReader(path) as video:
        waveform = video.audio(0.0, 1.0, 16000)
    assert waveform[5000] == 1.0 and waveform[9050] == 0.0 and waveform.max() == 1.0


def test_title_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w", metadata_encoding="latin-1") as container:
        container.metadata["title"] = "caf\u00e9"
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(5), format="rgb24")))
        container.mux(stream.encode(None))
    assert b"caf\xe9" in path.read_bytes()
    with VideoReader(path) as video:
        assert numbers_of(video.frames([0.0])) == [5]


def test_eight_channels(tmp_path: Path) -> None:
    """A 7.1 track with a tone in its first channel only: the mean has an eighth of its amplitude."""
    tone = 0.8 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    channels = np.zeros((48000, 8), np.float32)
    channels[:, 0] = tone
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video_stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream = container.add_stream("aac", rate=48000, layout="7.1")
        container.mux(video_stream.encode(av.VideoFrame.from_ndarray(numbered(0), format="rgb24")))
        container.mux(video_stream.encode(None))
        packed = av.AudioFrame.from_ndarray(channels.reshape(1, -1), format="flt", layout="7.1")
        packed.sample_rate, packed.pts = 48000, 0
        planar = av.AudioResampler(format="fltp", layout="7.1", rate=48000)
        for frame in [*planar.resample(packed), *planar.resample(None)]:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoReader(path) as video:
        waveform = video.audio(0.1, 0.8, 48000)
    assert waveform.max() == pytest.approx(0.1, abs=0.02)
    assert abs(np.abs(np.fft.rfft(waveform)).argmax() / 0.8 - 440) < 2


def test_file_name_with_a_colon_is_not_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.mp4", num_frames=3).rename("12:30.mp4")
    with VideoReader("12:30.mp4") as video:
        assert number_of(video.frames([0.0])[0]) == 0
