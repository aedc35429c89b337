from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avdet.media.live import AudioChunk, VideoFrame, live_events
from avdet.media.reader import DecodeError, VideoReader
from tests.media.make_videos import number_of, write_video


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    """1 s at 25 fps; a click at 0.5 s."""
    sound = np.zeros(16000, np.float32)
    sound[8000:8040] = 0.9
    return write_video(tmp_path / "clip.mov", num_frames=25, sound=sound, sound_codec="pcm_s16le")


def test_a_file_plays_in_real_time_with_its_sound_in_step(movie: Path) -> None:
    started = time.monotonic()
    came = [(event, time.monotonic() - started) for event in live_events(str(movie), short_side=480)]
    pictures = [(event, at) for event, at in came if isinstance(event, VideoFrame)]
    assert [number_of(event.rgb) for event, _ in pictures] == list(range(25))
    assert all(at >= event.time_s - 0.005 for event, at in pictures) and pictures[-1][1] >= 0.95
    blocks = [event for event, _ in came if isinstance(event, AudioChunk)]
    assert all(after.time_s == pytest.approx(before.time_s + 0.1) for before, after in pairwise(blocks))
    sound = np.concatenate([block.samples for block in blocks])
    assert np.abs(sound).argmax() / 16000 == pytest.approx(0.5, abs=0.003)
    order = [event.time_s + (0.1 if isinstance(event, AudioChunk) else 0.0) for event, _ in came]
    assert all(after >= before - 0.05 for before, after in pairwise(order))


def test_an_address_is_read_without_waiting(movie: Path) -> None:
    """A device gives what it has as it comes; here it is a file that has all of it."""
    events = list(live_events(movie.as_uri(), short_side=24))
    pictures = [event for event in events if isinstance(event, VideoFrame)]
    assert [number_of(event.rgb) for event in pictures] == list(range(25))
    assert pictures[0].rgb.shape == (24, 32, 3) and pictures[-1].time_s == pytest.approx(0.96, abs=1e-3)
    sound = np.zeros(16000, np.float32)
    for event in events:
        if isinstance(event, AudioChunk):
            first = round(event.time_s * 16000)
            sound[first : first + len(event.samples)] = event.samples
    assert np.abs(sound).argmax() / 16000 == pytest.approx(0.5, abs=0.003)


def test_a_source_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="cannot be opened"):
        next(live_events("rtsp://127.0.0.1:9/none", short_side=480))
    with pytest.raises(DecodeError):
        next(live_events(str(tmp_path / "none.mp4"), short_side=480))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_live_sound_is_as_loud_as_a_files_and_without_holes(tmp_path: Path, rate: int) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    path = write_video(tmp_path / "tone.mp4", num_frames=25, sound=np.stack([tone, tone]), sound_rate=rate)
    blocks = [event for event in live_events(path.as_uri(), short_side=24) if isinstance(event, AudioChunk)]
    ends = [block.time_s + len(block.samples) / 16000 for block in blocks]
    assert all(after.time_s == pytest.approx(end, abs=1e-9) for end, after in zip(ends, blocks[1:], strict=False))
    with VideoReader(path) as video:
        expected = video.audio(0.2, 0.6, 16000)
    heard = np.concatenate([block.samples for block in blocks])
    assert heard[3200:12800].std() == pytest.approx(expected.std(), rel=0.02)
