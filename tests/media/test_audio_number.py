"""A file with several audio tracks: the one that players select is read, or the one that the number names."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet

from avdet.annotations.checks.check_videos import check_contents
from avdet.media.audio_choice import describe_audio_track
from avdet.media.cache import cache_video, read_cache_key
from avdet.media.live import LiveSource
from avdet.media.live_address import LiveAddress
from avdet.media.media_file import DecodeError
from avdet.media.stream_chunk import AudioChunk
from avdet.media.video_source import OpenOptions, open_video
from tests.media.make_videos import write_video

RATE = 16_000


def _seconds(packet: Packet) -> float:  # type: ignore[type-arg]
    assert packet.dts is not None and packet.time_base is not None
    return float(packet.dts * packet.time_base)


def two_tracks(folder: Path, *levels: float) -> Path:
    """A video whose audio tracks are noise of these levels."""
    noise = np.random.default_rng(0).uniform(-1, 1, 2 * RATE).astype(np.float32)
    target = folder / "two.mkv"
    sources = [write_video(folder / f"{level}.mkv", num_frames=50, fps=25, waveform=level * noise) for level in levels]
    with av.open(str(target), "w") as output:
        inputs = [av.open(str(source)) for source in sources]
        streams = [(each, each.streams.audio[0]) for each in inputs]
        packets = []
        for source, stream in [(inputs[0], inputs[0].streams.video[0]), *streams]:
            copy = output.add_stream_from_template(stream)
            source.seek(0)
            packets += [(packet, copy) for packet in source.demux(stream) if packet.dts is not None]
        for packet, copy in sorted(packets, key=lambda item: _seconds(item[0])):
            packet.stream = copy
            output.mux(packet)
        for each in inputs:
            each.close()
    return target


def test_a_number_selects_the_track(tmp_path: Path) -> None:
    path = two_tracks(tmp_path, 0.0, 0.5)
    levels = []
    for number in (None, 0, 1):
        with open_video(path, options=OpenOptions(audio_track=number)) as video:
            assert video.num_audio_tracks == 2
            levels.append(float(np.abs(video.audio(0.5, 1.0, RATE)).max()))
    assert levels[0] == levels[1] < 1e-3 and levels[2] > 0.3
    with (
        pytest.raises(DecodeError, match="it has 2 audio tracks, but audio_track is 2, from 0"),
        open_video(path, options=OpenOptions(audio_track=2)) as video,
    ):
        video.audio(0.5, 1.0, RATE)


def test_a_silent_first_track_is_reported_with_the_one_that_is_not(tmp_path: Path) -> None:
    path = two_tracks(tmp_path, 0.0, 0.5)
    messages = [finding.message for finding in check_contents([path], OpenOptions())]
    assert "several audio tracks, of which the one that players select is read: 1 video: two.mkv (2)" in messages
    assert "silent audio track: 1 video: two.mkv; track 1 of two.mkv has audio: set data.audio_track=1" in messages
    assert not any("silent" in finding.message for finding in check_contents([path], OpenOptions(audio_track=1)))


def test_a_silent_first_track_is_described(tmp_path: Path) -> None:
    path = two_tracks(tmp_path, 0.0, 0.5)
    sentence = "two.mkv has 2 audio tracks, of which the one that players select is read; it is silent, but track 1 is "
    assert describe_audio_track(path, OpenOptions()) == sentence + "not: give --audio-track 1"
    assert (
        describe_audio_track(path, OpenOptions(audio_track=1)) == "two.mkv has 2 audio tracks, of which track 1 is read"
    )
    assert describe_audio_track(tmp_path / "0.5.mkv", OpenOptions()) is None


def test_copies_and_live_files_have_the_chosen_track(tmp_path: Path) -> None:
    path = two_tracks(tmp_path, 0.0, 0.5)
    copy = cache_video(path, tmp_path / "copy.mp4", short_side=48, audio_track=1).path
    assert (read_cache_key(copy) or {})["audio_track"] == 1
    with open_video(copy) as video:
        assert video.num_audio_tracks == 1 and np.abs(video.audio(0.5, 1.0, RATE)).max() > 0.3
    chunks = LiveSource(LiveAddress(str(path)), short_side=48, audio_track=1)
    assert np.abs(next(chunk.samples for chunk in chunks if isinstance(chunk, AudioChunk))).max() > 0.3
