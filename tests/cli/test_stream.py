"""stream.py with files and streams through sockets as live sources."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdet.cli import stream as cli
from avdet.cli.stream import main
from avdet.media.video_reader import VideoReader
from tests.cli.refusal import refusal
from tests.media.live_servers import HOLD, tcp_server
from tests.media.make_videos import write_video


@pytest.fixture
def weights(action_checkpoint: str, person_checkpoint: str) -> list[str]:
    return ["--checkpoint", action_checkpoint, "--person-weights", person_checkpoint]


Payloads = list[bytes | Callable[[], None]]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Payloads:
    """2 s of MPEG-TS with a tone, sent in about that time."""
    tone = (0.5 * np.sin(np.arange(32000) * 0.2)).astype(np.float32)
    sent = write_video(tmp_path_factory.mktemp("stream") / "live.ts", num_frames=50, waveform=tone).read_bytes()
    size = len(sent) // 20 + 1
    slices = [sent[start : start + size] for start in range(0, len(sent), size)]
    return [part for piece in slices for part in (piece, lambda: time.sleep(0.1))]


@pytest.mark.parametrize("drawn", [True, False])
def test_a_file_is_annotated_in_real_time(
    sample: Path, weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], drawn: bool
) -> None:
    """If no person reaches the minimum score, the frames are those of the source at the same times."""
    source, output = sample / "videos/sample_val_00.mp4", tmp_path / "out" / "live.mp4"
    start = time.monotonic()
    options = ["--min-box-score", "0.4" if drawn else "1", "--min-score", "0", "--seconds", "2.5"]
    assert main([str(source), *weights, *options, "--output", str(output)]) == 0
    assert time.monotonic() - start > 2.4
    printed = capsys.readouterr().out
    assert "frames shown" in printed and "latency" in printed
    with VideoReader(output) as live, VideoReader(source, short_side=360) as video:
        last_s = min(live.info.duration_s, 2.5)  # under load the last frames are dropped too
        assert last_s > 0.5
        (annotated,), (plain,) = live.frames([last_s]), video.frames([last_s])
    assert (abs(annotated[:300].astype(int) - plain[:300]).mean() > 12) == drawn
    assert (annotated[330:, 240:] > 200).any()  # the latency in the corner


def test_a_signal_finishes_recording_and_events(
    weights: list[str],
    stream: Payloads,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The source sends 2 s with audio, then stalls; SIGTERM comes after the first event."""
    monkeypatch.setattr(cli, "_STATUS_S", 0.5)
    events, output = tmp_path / "events.jsonl", tmp_path / "live.mp4"

    def interrupt() -> None:
        started = time.monotonic()
        while not events.read_text() and time.monotonic() - started < 60:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    with tcp_server([*stream, interrupt, HOLD]) as address:
        options = ["--min-box-score", "0", "--min-score", "0", "--keyframe-rate", "4", "--events", str(events)]
        assert main([f"door={address}", *weights, *options, "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"door: \d+\.\d fps, latency \d\.\d s, \d+ dropped", printed) and "Interrupted" in printed
    assert re.search(r"door: \d+ frames shown, \d+ dropped; \d+ keyframes, latency \d\.\d s, at most", printed)
    with VideoReader(output) as live:
        assert live.info.has_audio and live.info.duration_s > 0.5
        assert abs(live.audio(0.0, 1.5, 16000)).max() > 0.2
    messages = [json.loads(line) for line in events.read_text().splitlines()]
    assert {message["source"] for message in messages} == {"door"}
    states = [message["state"] for message in messages]
    assert states.count("begins") == states.count("ends") > 0
    begins, ends = messages[0], messages[-1]
    assert begins["end_s"] is None and ends["end_s"] > ends["start_s"] and 0 < ends["peak_score"] <= 1


def test_each_source_has_a_window_which_a_key_closes(
    weights: list[str], sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(cli, "_has_display", lambda: True)
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda name, frame: shown.append((name, frame.shape)))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "waitKey", lambda _: ord("q") if len({name for name, _ in shown}) == 2 else -1)
    videos = [f"{name}={sample / 'videos/sample_val_00.mp4'}" for name in ("a", "b")]
    assert main([*videos, *weights, "--min-box-score", "1"]) == 0
    assert set(shown) == {("a", (360, 480, 3)), ("b", (360, 480, 3))}
    assert capsys.readouterr().out.count("frames shown") == 2


def test_a_source_that_fails_leaves_the_others(
    weights: list[str], stream: Payloads, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tcp_server(stream) as address:
        options = ["--retry", "0", "--output", tmp_path / "out", "--webhook", "http://127.0.0.1:9/"]
        message = refusal(main, capsys, "rtsp://me:secret@127.0.0.1:9/1", f"door={address}", *weights, *options)
    assert "rtsp://me:***@127.0.0.1:9/1 cannot be opened: the connection is refused; check host and port" in message
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["door.mp4"]
    with VideoReader(tmp_path / "out" / "door.mp4") as live:
        assert live.info.duration_s > 0.5


def test_wrong_usage(weights: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for options, message in [
        ([], "there is no display for a window; give --output FILE.mp4"),
        (["--output", "a.avi"], "give a name that ends in .mp4"),
        (["--output", "a.mp4", "--min-score", "nan"], "--min-score is nan; give a number"),
        (["--output", "a.mp4", "--short-side", "8"], "--short-side is 8; give 64 pixels or more"),
        (["--output", "a.mp4", "--retry", "-1"], "--retry is -1; give 0 seconds or more"),
        (["--output", "a.mp4", "other.mp4"], "give a folder for the recordings of 2 sources"),
        (["--output", "a", "b/none.mp4"], "two sources have the name none; give them others, as in door=none.mp4"),
        (["--output", "a", "door=ftp://host/1"], "ftp://host/1 has the protocol ftp, which is not opened"),
        (["--webhook", "ftp://host/1"], "give an address that begins with http:// or https://"),
        (["--events", "/proc/none/events"], "--events: cannot write into /proc"),
        (["--output", "a.mp4", "--keyframe-rate", "0"], "--keyframe-rate is 0; give more than 0 per second"),
    ]:
        assert message in refusal(main, capsys, "none.mp4", *weights, *options)
