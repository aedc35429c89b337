"""LiveSource: files in real time, and streams through sockets on 127.0.0.1 with their faults."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avdet.media.live import LiveSource
from avdet.media.live_address import LiveAddress
from avdet.media.live_connection import SourceError
from avdet.media.stream_chunk import AudioChunk, StreamChunk, VideoFrame
from avdet.media.video_reader import DecodeError, VideoReader
from tests.media.live_servers import HOLD, http_server, tcp_server, udp_sender
from tests.media.make_videos import number_of, numbered, write_video

CLICK = np.zeros(16000, np.float32)
CLICK[8000:8040] = 0.9


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """1 s at 25 fps; a click at 0.5 s."""
    return write_video(tmp_path / "clip.mov", num_frames=25, waveform=CLICK, audio_codec="pcm_s16le")


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """MPEG-TS: 1 s at 25 fps with a click at 0.5 s; the same without audio; frames of twice the size."""
    folder = tmp_path_factory.mktemp("streams")
    large = [numbered(k, 128, 96) for k in range(25)]
    paths = {
        "clip": write_video(folder / "clip.ts", num_frames=25, waveform=CLICK),
        "no audio": write_video(folder / "silent.ts", num_frames=25),
        "large": write_video(folder / "large.ts", frames=large, num_frames=25, waveform=CLICK),
    }
    return {name: path.read_bytes() for name, path in paths.items()}


def live_source(address: str, *, retry_s: float = 0.0, timeout_s: float = 5.0) -> LiveSource:
    return LiveSource(LiveAddress(address), short_side=480, retry_s=retry_s, timeout_s=timeout_s, first_wait_s=0.1)


def numbers(chunks: Iterable[StreamChunk]) -> list[int]:
    return [number_of(chunk.rgb) for chunk in chunks if isinstance(chunk, VideoFrame)]


def frame_times(chunks: Iterable[StreamChunk]) -> list[float]:
    return [chunk.time_s for chunk in chunks if isinstance(chunk, VideoFrame)]


def waveform_of(chunks: Iterable[StreamChunk], seconds: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    waveform = np.zeros(round(seconds * 16000), np.float32)
    for chunk in chunks:
        if isinstance(chunk, AudioChunk):
            first = round(chunk.time_s * 16000)
            waveform[first : first + len(chunk.samples)] = chunk.samples[: max(len(waveform) - first, 0)]
    return waveform


def test_file_plays_in_real_time_with_synchronised_audio(clip: Path) -> None:
    started = time.monotonic()
    arrivals = [(chunk, time.monotonic() - started) for chunk in live_source(str(clip))]
    frames = [(chunk, at) for chunk, at in arrivals if isinstance(chunk, VideoFrame)]
    assert [number_of(chunk.rgb) for chunk, _ in frames] == list(range(25))
    assert all(at >= chunk.time_s - 0.005 for chunk, at in frames) and frames[-1][1] >= 0.95
    chunks = [chunk for chunk, _ in arrivals if isinstance(chunk, AudioChunk)]
    assert all(after.time_s == pytest.approx(before.time_s + 0.1) for before, after in pairwise(chunks))
    assert np.abs(waveform_of(chunks)).argmax() / 16000 == pytest.approx(0.5, abs=0.003)
    order = [chunk.time_s + (0.1 if isinstance(chunk, AudioChunk) else 0.0) for chunk, _ in arrivals]
    assert all(after >= before - 0.05 for before, after in pairwise(order))


def test_tcp_is_read_as_it_arrives_until_its_end(streams: dict[str, bytes], caplog: pytest.LogCaptureFixture) -> None:
    with tcp_server([streams["clip"]]) as address:
        source = live_source(address)
        chunks = list(source)
    assert source.has_audio and numbers(chunks) == list(range(25))
    assert frame_times(chunks)[-1] - frame_times(chunks)[0] == pytest.approx(0.96, abs=1e-3)
    click_s = np.abs(waveform_of(chunks)).argmax() / 16000
    assert click_s - frame_times(chunks)[0] == pytest.approx(0.5, abs=0.04)
    assert f"{address} ended the stream; check that it still sends; no new connection within 0 s" in caplog.text


def test_a_source_without_audio(streams: dict[str, bytes]) -> None:
    with tcp_server([streams["no audio"]]) as address:
        source = live_source(address)
        assert numbers(source) == list(range(25)) and not source.has_audio


def test_udp(streams: dict[str, bytes]) -> None:
    """The receiver joins anywhere; the sender's timestamps begin anew every second."""
    with udp_sender(streams["clip"]) as address:
        chunks: list[StreamChunk] = []
        source = live_source(address)
        for chunk in source:
            chunks.append(chunk)
            if len(frame_times(chunks)) > 60:
                break
    assert {*numbers(chunks)} >= {*range(1, 24)} and source.has_audio
    assert all(before < after for before, after in pairwise(frame_times(chunks)))


def test_http_files_and_playlists_play_in_real_time(clip: Path) -> None:
    write_video(clip.with_name("live.m3u8"), num_frames=25, waveform=CLICK, options={"hls_time": "1"})
    with http_server(clip.parent) as address:
        for name in ("clip.mov", "live.m3u8"):
            started = time.monotonic()
            source = live_source(f"{address}/{name}", retry_s=60.0)
            assert numbers(source) == list(range(25)) and source.has_audio, name
            assert time.monotonic() - started > 0.9


def test_stalls_restarts_and_other_sizes_are_outlived(
    streams: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """One connection stalls, one sends no video, one larger frames; each one's timestamps begin anew."""
    caplog.set_level(logging.INFO)
    with tcp_server([streams["clip"], HOLD], [b"x"], [streams["large"]], [streams["clip"]]) as address:
        source = live_source(address, retry_s=60.0, timeout_s=1.5)
        chunks = []
        for chunk in source:
            chunks.append(chunk)
            if source.reconnections == 2 and isinstance(chunk, VideoFrame) and number_of(chunk.rgb) == 24:
                source.stop()
    assert set(numbers(chunks)) == set(range(25)) and len(numbers(chunks)) >= 70
    shapes = [chunk.rgb.shape[:2] for chunk in chunks if isinstance(chunk, VideoFrame)]
    assert (48, 64) in shapes and (96, 128) in shapes
    assert all(before < after for before, after in pairwise(frame_times(chunks)))
    name = address.removeprefix("tcp://").replace(":", "-")
    assert f"{name}: {address} was lost: nothing arrived for 1.5 s" in caplog.text
    assert "next connection in 0.1 s" in caplog.text and "next connection in 0.2 s" in caplog.text
    assert re.search(r"connected again after \d+\.\d s", caplog.text)


def test_size_and_clock_change_within_a_connection(streams: dict[str, bytes]) -> None:
    """The second half's timestamps begin anew: time goes on, and the click stays 0.5 s after its first frame."""
    with tcp_server([streams["clip"] + streams["large"]]) as address:
        chunks = list(live_source(address))
    frames = [chunk for chunk in chunks if isinstance(chunk, VideoFrame)]
    larger = [frame for frame in frames if frame.rgb.shape == (96, 128, 3)]
    assert numbers(larger) == list(range(25)) and len(frames) >= 49
    assert all(0 < after - before < 0.3 for before, after in pairwise(frame_times(chunks)))
    waveform = waveform_of(chunks, 3.0)
    second = round(larger[0].time_s * 16000)
    assert np.abs(waveform[second:]).argmax() / 16000 == pytest.approx(0.5, abs=0.05)


def test_a_wait_for_the_next_connection_can_be_stopped(streams: dict[str, bytes]) -> None:
    with tcp_server([streams["no audio"]]) as address:
        source = LiveSource(LiveAddress(address), short_side=48, first_wait_s=60.0)
        for chunk in source:
            if isinstance(chunk, VideoFrame) and number_of(chunk.rgb) == 24:
                source.stop()


def test_sources_that_cannot_be_opened_are_named_as_typed(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>A page</html>" * 200)
    with http_server(tmp_path) as http, tcp_server([HOLD]) as tcp:
        for address, message in {
            "rtsp://user:secret@127.0.0.1:9/1": "rtsp://user:***@127.0.0.1:9/1 cannot be opened: the connection is",
            f"{http}/none.mp4": f"{http}/none.mp4 cannot be opened: the server has no such path; look up",
            f"{http}/private": f"{http}/private cannot be opened: it wants a password; write the address as",
            f"{http}/page.html": f"{http}/page.html cannot be opened: it sends no video that FFmpeg reads; give the ad",
            tcp: f"{tcp} cannot be opened: nothing arrived for 0.3 s; check that it is on",
            "tcp://127.0.0.1": "tcp://127.0.0.1 cannot be opened: it is no stream of a known form; check",
            "srt://127.0.0.1:9": "srt://127.0.0.1:9 cannot be opened: this build of PyAV lacks the protocol",
            "/dev/video99": "/dev/video99 cannot be opened: there is no such device; ls /dev/video*",
        }.items():
            with pytest.raises(SourceError, match=re.escape(message)):
                next(iter(live_source(address, timeout_s=0.3 if address == tcp else 10.0)))
    with pytest.raises(DecodeError):
        next(iter(live_source(str(tmp_path / "none.mp4"))))


def test_a_playlist_cannot_read_files_of_this_machine(clip: Path) -> None:
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip.as_uri()}\n#EXT-X-ENDLIST\n"
    clip.with_name("list.m3u8").write_text(playlist)
    with http_server(clip.parent) as address, pytest.raises(SourceError, match=r"list\.m3u8"):
        list(live_source(f"{address}/list.m3u8"))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_live_audio_has_the_level_of_a_files_and_no_gaps(tmp_path: Path, rate: int) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    path = write_video(tmp_path / "tone.ts", num_frames=25, waveform=np.stack([tone, tone]), sample_rate=rate)
    with tcp_server([path.read_bytes()]) as address:
        chunks = [chunk for chunk in live_source(address) if isinstance(chunk, AudioChunk)]
    ends = [chunk.time_s + len(chunk.samples) / 16000 for chunk in chunks]
    assert all(after.time_s == pytest.approx(end, abs=1e-9) for end, after in zip(ends, chunks[1:], strict=False))
    with VideoReader(path) as video:
        expected = video.audio(0.2, 0.6, 16000)
    assert waveform_of(chunks)[3200:12800].std() == pytest.approx(expected.std(), rel=0.02)
