"""live_events: frames and audio of a file in real time and of an address, with the audio synchronised."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avdet.media.live import AudioChunk, VideoFrame, live_events
from avdet.media.video_reader import DecodeError, VideoReader
from tests.media.make_videos import number_of, write_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """1 s at 25 fps; a click at 0.5 s."""
    waveform = np.zeros(16000, np.float32)
    waveform[8000:8040] = 0.9
    return write_video(tmp_path / "clip.mov", num_frames=25, waveform=waveform, audio_codec="pcm_s16le")


def test_file_plays_in_real_time_with_synchronised_audio(clip: Path) -> None:
    started = time.monotonic()
    arrivals = [(event, time.monotonic() - started) for event in live_events(str(clip), short_side=480)]
    frames = [(event, at) for event, at in arrivals if isinstance(event, VideoFrame)]
    assert [number_of(event.rgb) for event, _ in frames] == list(range(25))
    assert all(at >= event.time_s - 0.005 for event, at in frames) and frames[-1][1] >= 0.95
    chunks = [event for event, _ in arrivals if isinstance(event, AudioChunk)]
    assert all(after.time_s == pytest.approx(before.time_s + 0.1) for before, after in pairwise(chunks))
    waveform = np.concatenate([chunk.samples for chunk in chunks])
    assert np.abs(waveform).argmax() / 16000 == pytest.approx(0.5, abs=0.003)
    order = [event.time_s + (0.1 if isinstance(event, AudioChunk) else 0.0) for event, _ in arrivals]
    assert all(after >= before - 0.05 for before, after in pairwise(order))


def test_address_is_read_without_waiting(clip: Path) -> None:
    """Events are yielded as they arrive; a file address has them all at once."""
    events = list(live_events(clip.as_uri(), short_side=24))
    frames = [event for event in events if isinstance(event, VideoFrame)]
    assert [number_of(event.rgb) for event in frames] == list(range(25))
    assert frames[0].rgb.shape == (24, 32, 3) and frames[-1].time_s == pytest.approx(0.96, abs=1e-3)
    waveform = np.zeros(16000, np.float32)
    for event in events:
        if isinstance(event, AudioChunk):
            first = round(event.time_s * 16000)
            waveform[first : first + len(event.samples)] = event.samples
    assert np.abs(waveform).argmax() / 16000 == pytest.approx(0.5, abs=0.003)


def test_missing_source_raises(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="cannot be opened"):
        next(live_events("rtsp://127.0.0.1:9/none", short_side=480))
    with pytest.raises(DecodeError):
        next(live_events(str(tmp_path / "none.mp4"), short_side=480))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_live_audio_has_the_level_of_a_files_and_no_gaps(tmp_path: Path, rate: int) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    path = write_video(tmp_path / "tone.mp4", num_frames=25, waveform=np.stack([tone, tone]), sample_rate=rate)
    chunks = [event for event in live_events(path.as_uri(), short_side=24) if isinstance(event, AudioChunk)]
    ends = [chunk.time_s + len(chunk.samples) / 16000 for chunk in chunks]
    assert all(after.time_s == pytest.approx(end, abs=1e-9) for end, after in zip(ends, chunks[1:], strict=False))
    with VideoReader(path) as video:
        expected = video.audio(0.2, 0.6, 16000)
    waveform = np.concatenate([chunk.samples for chunk in chunks])
    assert waveform[3200:12800].std() == pytest.approx(expected.std(), rel=0.02)
