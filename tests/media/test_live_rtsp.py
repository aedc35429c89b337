"""LiveSource with an RTSP server of GStreamer: Debian's python3-gst-1.0, gir1.2-gst-rtsp-server-1.0 and plugins."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from avdet.media.live import LiveSource
from avdet.media.live_address import LiveAddress
from avdet.media.live_connection import SourceError
from avdet.media.stream_chunk import AudioChunk, VideoFrame

PYTHON = "/usr/bin/python3"  # Debian's, which has its packages
IMPORTS = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("x264enc", "rtph264pay", "rtppcmapay", "audiotestsrc", "videotestsrc")))
"""
SERVER = f"""{IMPORTS}
video = ("videotestsrc is-live=true pattern=ball ! video/x-raw,width=64,height=48,framerate=25/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! rtph264pay name=pay0 pt=96 config-interval=1 ")
audio = "audiotestsrc is-live=true volume=0.5 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8"
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
for path, launch in (("/av", video + audio), ("/video", video)):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch("( " + launch + " )")
    server.get_mount_points().add_factory(path, factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""


@pytest.fixture
def server() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server, and its process."""
    try:
        subprocess.run([PYTHON, "-c", IMPORTS], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("GStreamer's RTSP server is not installed")
    with subprocess.Popen([PYTHON, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"rtsp://127.0.0.1:{process.stdout.readline().strip()}", process
        process.kill()


def test_rtsp_with_and_without_audio_until_the_server_dies(
    server: tuple[str, subprocess.Popen[str]], caplog: pytest.LogCaptureFixture
) -> None:
    address, process = server
    with pytest.raises(SourceError, match=re.escape(f"{address}/none cannot be opened: the server has no such path")):
        list(LiveSource(LiveAddress(f"{address}/none"), short_side=48))
    source = LiveSource(LiveAddress(f"{address}/video"), short_side=480)
    frame = next(iter(source))
    assert isinstance(frame, VideoFrame) and frame.rgb.shape == (48, 64, 3) and not source.has_audio
    source = LiveSource(LiveAddress(f"{address}/av"), short_side=480, retry_s=0.0)
    frames: list[VideoFrame] = []
    audio: list[AudioChunk] = []
    for chunk in source:
        (frames if isinstance(chunk, VideoFrame) else audio).append(chunk)  # type: ignore[arg-type]
        if len(frames) == 20:
            process.kill()
    assert source.has_audio and len(frames) >= 20
    assert all(before.time_s < after.time_s for before, after in pairwise(frames))
    assert np.abs(np.concatenate([chunk.samples for chunk in audio])).max() == pytest.approx(0.5, abs=0.05)
    assert f"{address}/av" in caplog.text and "no new connection within 0 s" in caplog.text
