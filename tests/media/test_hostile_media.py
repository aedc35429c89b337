"""A media file is one regular file: nothing that it names is opened, and nothing in it may grow without bound."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from avdet.media import media_file
from avdet.media.audio_track import AudioTrack
from avdet.media.frames_dir import FramesDir
from avdet.media.media_file import DecodeError, MediaFile
from avdet.media.video_reader import VideoReader
from tests.media.make_videos import faststart, truncated, write_video
from tests.shared import SHARED, needs_shared

REFERENCES = {
    "concat": "ffconcat version 1.0\nfile good.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\ngood.mp4\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation>'
    "<BaseURL>good.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("kind", REFERENCES)
def test_files_that_name_others_are_refused(tmp_path: Path, kind: str) -> None:
    write_video(tmp_path / "good.mp4", num_frames=2)
    for suffix in (".mp4", f".{kind}", ".m3u8", ".mpd"):
        path = tmp_path / f"list{suffix}"
        path.write_text(REFERENCES[kind])
        with pytest.raises(DecodeError, match=r"cannot be opened: (it is no video or audio file|Invalid data)"):
            MediaFile(path)


def test_a_pattern_of_images_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "frame1.jpg").write_bytes(b"")
    with pytest.raises(DecodeError, match="cannot be opened"):
        MediaFile(tmp_path / "frame%d.jpg")


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "video.mp4")
    for path in (tmp_path / "video.mp4", Path("/dev/zero")):
        with pytest.raises(DecodeError, match="it is no regular file; give a video file"):
            VideoReader(path)


def test_a_read_without_progress_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's option `follow` waits at the end of a truncated file for more data."""
    path = truncated(faststart(tmp_path / "whole.mp4"), tmp_path / "video.mp4", 0.5)
    monkeypatch.setattr(media_file, "_NO_PROGRESS_S", 0.3)
    options = {**media_file._CONTAINER_OPTIONS, "follow": "1"}
    monkeypatch.setattr(media_file, "_CONTAINER_OPTIONS", options)
    with pytest.raises(DecodeError, match=r"no data arrived for 0\.3 s; check the file and its disk"):
        VideoReader(path).frames([3.5])


@pytest.mark.parametrize("rate", [1, 2**31 - 1])
def test_an_impossible_sample_rate_is_refused(tmp_path: Path, rate: int) -> None:
    data = bytes(2000)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate,
                         min(2 * rate, 2**32 - 1), 2, 16, b"data", len(data))  # fmt: skip
    (tmp_path / "x.wav").write_bytes(header + data)
    with pytest.raises(DecodeError, match=r"its audio has|cannot be opened"):
        AudioTrack(MediaFile(tmp_path / "x.wav"))


def test_a_huge_image_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 8_000, 8, 2, 0, 0, 0))
    (tmp_path / "x_000001.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))))
    with pytest.raises(DecodeError, match="it has 10000x8000 pixels; scale it down"):
        FramesDir(tmp_path)


@needs_shared
def test_hostile_video() -> None:
    with pytest.raises(DecodeError, match=r"g\.mp4 cannot be opened: it is no video or audio file"):
        VideoReader(SHARED / "cases" / "hostile" / "g.mp4")
    with VideoReader(SHARED / "cases" / "hostile" / "good.mp4") as video:
        assert np.asarray(video.frames([1.0])).shape == (1, 240, 320, 3)
