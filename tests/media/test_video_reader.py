"""VideoReader: the frame on screen at any time, in any container, and its errors."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avdet.media.media_file import MediaFile
from avdet.media.packets import PacketSource
from avdet.media.video_reader import DecodeError, VideoReader
from tests.media.make_videos import faststart, number_of, numbered, numbers_of, truncated, write_video

CONTAINERS = [
    ("a.mp4", "libx264", {}),
    ("a.mp4", "libx264", {"x264-params": "open-gop=1:b-pyramid=normal:bframes=3"}),
    ("a.mov", "libx265", {"x265-params": "log-level=none:bframes=3"}),
    ("a.mp4", "mpeg4", {}),
    ("a.mkv", "libx264", {}),
    ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    ("a.avi", "libx264", {}),
    ("a.avi", "mpeg4", {}),
    ("a.ts", "libx264", {}),
    ("a.flv", "libx264", {}),
]


@pytest.fixture(scope="module")
def video_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames at 25 fps with hierarchical B-frames and open groups of 12."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    return write_video(path, num_frames=100, options={"x264-params": "open-gop=1:b-pyramid=normal:bframes=3"})


@pytest.mark.parametrize(("name", "codec", "options"), CONTAINERS)
def test_frame_on_screen_in_any_container(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = write_video(tmp_path / name, num_frames=50, codec=codec, options=options)
    numbers = [0, 49, 23, 24, 25, 1, 23, 36, 11, 12, 13]
    with VideoReader(path) as video:
        at_start = video.frames([k / 25 for k in numbers])  # even if the container rounds times to 1 ms
        in_the_middle = video.frames([(k + 0.5) / 25 for k in numbers])
        one_by_one = [number_of(video.frames([(k + 0.5) / 25])[0]) for k in numbers]
        played = [number_of(frame) for _, frame in video.play()]
    assert numbers_of(at_start) == numbers_of(in_the_middle) == one_by_one == numbers
    assert played == list(range(50))


@settings(max_examples=40, deadline=None)
@given(times_s=st.lists(st.floats(-1, 5), min_size=1, max_size=6))
def test_times_in_any_order_repeated_and_outside(video_path: Path, times_s: list[float]) -> None:
    with VideoReader(video_path) as video:
        batch = video.frame_batch(times_s)
    shown = [min(max(int((t + 0.001) * 25), 0), 99) for t in times_s]
    assert numbers_of(batch.rgb) == shown
    assert batch.times_s == pytest.approx([k / 25 for k in shown])
    assert batch.past_end.tolist() == [t + 0.001 >= 4.0 - 1e-9 for t in times_s]


def test_skipping_changes_no_pixel(video_path: Path) -> None:
    times = [0.5 + k * 0.08 for k in range(32)]
    with VideoReader(video_path) as video:
        by_seeking = video.frames(times)
        played = dict(video.play())
    frame_times_s = np.array(list(played))
    for time_s, frame in zip(times, by_seeking, strict=True):
        np.testing.assert_array_equal(frame, played[frame_times_s[frame_times_s <= time_s + 0.001].max()])


def test_frames_of_variable_rate_stay_until_the_next(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", times_s=[0.0, 0.1, 0.15, 1.0, 2.5])
    with VideoReader(path) as video:
        batch = video.frame_batch([0.05, 0.12, 0.9, 1.0, 2.4, 2.5])
    assert numbers_of(batch.rgb) == [0, 1, 2, 3, 3, 4]
    assert batch.times_s == pytest.approx([0.0, 0.1, 0.15, 1.0, 1.0, 2.5], abs=1e-4)


def test_play_begins_with_the_frame_on_screen(video_path: Path) -> None:
    with VideoReader(video_path) as video:
        played = [(t, number_of(frame)) for t, frame in video.play(3.79)]
        assert [number for _, number in played] == [94, 95, 96, 97, 98, 99]
        assert [t for t, _ in played] == pytest.approx([k / 25 for k in range(94, 100)])
        assert number_of(video.frames([0.0])[0]) == 0


def test_info(tmp_path: Path) -> None:
    waveform = np.zeros((2, 48000), np.float32)
    path = write_video(
        tmp_path / "a.mp4", num_frames=60, fps=Fraction(30000, 1001), waveform=waveform, sample_rate=48000
    )
    with VideoReader(path, short_side=20) as video:
        info = video.info
    assert (info.width, info.height, info.audio_rate, info.has_audio) == (64, 48, 48000, True)
    assert info.fps == pytest.approx(29.97003)
    assert info.start_s == 0
    assert info.duration_s == pytest.approx(60 * 1001 / 30000, abs=1e-3)


@pytest.mark.parametrize(("short_side", "size"), [(24, (24, 32)), (96, (96, 128)), (25, (25, 33)), (None, (48, 64))])
def test_short_side_is_exact_up_and_down(video_path: Path, short_side: int | None, size: tuple[int, int]) -> None:
    with VideoReader(video_path, short_side=short_side) as video:
        frames = video.frames([0.5, 2.0])
    assert frames.shape == (2, *size, 3)
    assert numbers_of(frames) == [12, 50]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le", "yuvj420p"])
def test_pixel_formats_give_the_same_colours(tmp_path: Path, pix_fmt: str) -> None:
    colour = (200, 40, 90)
    plain = [np.full((48, 64, 3), colour, np.uint8)] * 3
    path = write_video(tmp_path / "a.mp4", frames=plain, num_frames=3, pix_fmt=pix_fmt)
    with VideoReader(path) as video:
        assert np.abs(video.frames([0.1])[0].astype(int) - colour).max() <= 5


def _with_pixel_aspect(path: Path, aspect: Fraction) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.codec_context.sample_aspect_ratio = aspect
        for number in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(3, 2), (96, 48)), (Fraction(1, 2), (32, 48)), (Fraction(100, 99), (64, 48))]
)
def test_pixels_become_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    with VideoReader(_with_pixel_aspect(tmp_path / "a.mp4", aspect), short_side=32) as video:
        info, frame = video.info, video.frames([0.04])[0]
    assert (info.width, info.height) == size
    assert frame.shape[0] / frame.shape[1] == pytest.approx(size[1] / size[0], rel=0.02)
    assert min(frame.shape[:2]) == 32 and number_of(frame) == 1


def test_default_stream_is_selected(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25, width=64, height=48) for _ in range(2)]
        streams[0].disposition, streams[1].disposition = Disposition(0), Disposition.default
        for number in range(5):
            for stream, offset in zip(streams, (0, 100), strict=True):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(offset + number), format="rgb24")))
        for stream in streams:
            container.mux(stream.encode(None))
    with VideoReader(path) as video:
        assert number_of(video.frames([0.08])[0]) == 102


def test_cover_art_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1, width=64, height=48, pix_fmt="yuvj420p")
        cover.disposition = Disposition.attached_pic
        audio = container.add_stream("aac", rate=16000, layout="mono")
        container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(200), format="rgb24")))
        container.mux(cover.encode(None))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        samples.sample_rate, samples.pts = 16000, 0
        container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    with pytest.raises(DecodeError, match="it has no video stream"):
        VideoReader(path)


def test_truncated_file_gives_its_frames_and_reports_its_end(tmp_path: Path) -> None:
    path = truncated(faststart(tmp_path / "a.mp4"), tmp_path / "cut.mp4", 0.6)
    with VideoReader(path) as video:
        last = [number_of(frame) for _, frame in video.play()][-1]
        batch = video.frame_batch([0.0, 0.4, 3.9])
        assert number_of(video.frames([3.9])[0]) == last
    assert 30 < last < 80
    assert numbers_of(batch.rgb) == [0, 10, last]
    assert batch.past_end.tolist() == [False, False, True]


def test_end_of_a_truncated_file_is_found_without_decoding_all_of_it(tmp_path: Path) -> None:
    path = truncated(faststart(tmp_path / "a.mp4", fps=1), tmp_path / "cut.mp4", 0.6)
    with VideoReader(path) as video:
        assert video.info.duration_s == 100
        last = [number_of(frame) for _, frame in video.play()][-1]
        assert numbers_of(video.frames([99.0])) == [last]
    with MediaFile(path) as file:
        source = PacketSource(file, file.container.streams.video[0])
        from_start, packets = next(source.attempts(source.tick_at(99.0)))
        assert not from_start and sum(1 for _ in packets) <= 13  # one GOP


def test_broken_bytes_in_mid_file_lose_only_their_frames(tmp_path: Path) -> None:
    path = faststart(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    middle = start + (len(data) - start) // 2
    data[middle : middle + 300] = bytes(300)
    path.write_bytes(data)
    with VideoReader(path) as video:
        numbers = numbers_of(video.frames([k / 25 for k in range(100)]))
    assert numbers[:25] == list(range(25)) and numbers[85:] == list(range(85, 100))


def _count(folder: str) -> int:
    return len(list(Path(folder).iterdir()))


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _text(path: Path) -> Path:
    path.write_text("not a video\n" * 10)
    return path


def _audio_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _no_index(path: Path) -> Path:
    return truncated(write_video(path.with_name("whole.mp4")), path, 0.5)


def _raw_stream(path: Path) -> Path:
    raw = write_video(path.with_name("raw.h264"))
    return raw.rename(path.with_suffix(".h264"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path, "cannot be opened: No such file"),
        (lambda path: path.parent, "cannot be opened: Is a directory"),
        (_empty, "cannot be opened: Invalid data"),
        (_text, "cannot be opened: Invalid data"),
        (_no_index, "cannot be opened: Invalid data"),
        (_audio_only, "cannot be opened: it has no video stream"),
        (_raw_stream, "cannot be read at 0.00 s: its frames have no timestamps"),
    ],
)
def test_unreadable_file_raises_and_leaves_no_file_open(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    path = make(tmp_path / "a.mp4")
    open_before = _count("/proc/self/fd")

    def read() -> NDArray[np.uint8]:
        with VideoReader(path) as video:
            return video.frames([0.0])

    with pytest.raises(DecodeError) as caught:
        read()
    assert reason in str(caught.value) and str(path) in str(caught.value)
    assert _count("/proc/self/fd") == open_before


def test_decode_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DecodeError(Path("video.mp4"), 12.5, "it is broken")))
    assert (error.path, error.time_s, error.reason) == (Path("video.mp4"), 12.5, "it is broken")
    assert str(error) == "video.mp4 cannot be read at 12.50 s: it is broken"


@pytest.mark.parametrize("times_s", [[], [float("nan")], [[0.0, 1.0]]])
def test_invalid_times_are_rejected(video_path: Path, times_s: list[float]) -> None:
    with VideoReader(video_path) as video, pytest.raises(ValueError, match="give one or more finite seconds"):
        video.frames(times_s)


def test_short_side_of_zero_is_rejected(video_path: Path) -> None:
    with pytest.raises(ValueError, match="short_side is 0"):
        VideoReader(video_path, short_side=0)


def test_reading_starts_no_thread(video_path: Path) -> None:
    threads_before = _count("/proc/self/task")
    with VideoReader(video_path, short_side=24) as video:
        video.frames([0.5, 1.0])
        assert _count("/proc/self/task") == threads_before


def test_audio_of_a_video_without_audio_raises(video_path: Path) -> None:
    with VideoReader(video_path) as video:
        assert not video.info.has_audio and video.info.audio_rate is None
        with pytest.raises(DecodeError, match="it has no audio track"):
            video.audio(0.0, 1.0, 16000)


@pytest.mark.slow
def test_five_thousand_clips_leak_no_memory(tmp_path: Path) -> None:
    """Valid, truncated and unreadable files: memory grows by less than 1 MB per thousand clips."""
    waveform = np.zeros((2, 96000), np.float32)
    good = write_video(tmp_path / "good.mp4", num_frames=50, waveform=waveform, sample_rate=48000)
    cut = truncated(faststart(tmp_path / "whole.mp4"), tmp_path / "cut.mp4", 0.5)
    text = _text(tmp_path / "text.mp4")

    def read_all() -> None:
        with VideoReader(good, short_side=32) as video:
            video.frames([0.5, 0.6, 1.2])
            video.audio(0.5, 0.5, 16000)
        with VideoReader(cut) as video:
            video.frames([0.1, 3.9])
        with pytest.raises(DecodeError):
            VideoReader(text)

    resident_mb = []
    for clips in range(3, 5001, 3):
        read_all()
        if clips >= 1000 and clips % 250 < 3:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            resident_mb.append((clips, pages * 4096 / 2**20))
    clip_counts, sizes_mb = np.array(resident_mb).T
    slope = np.polyfit(clip_counts, sizes_mb, 1)[0]
    assert slope * 1000 < 1.0, resident_mb
