from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from avdet.media.live_recorder import LiveRecorder
from avdet.media.stream_chunk import AudioChunk
from avdet.media.video_reader import VideoReader
from tests.media.make_videos import number_of, numbered, numbers_of


def test_another_size_is_scaled_into_the_first(tmp_path: Path) -> None:
    with LiveRecorder(tmp_path / "new" / "live.mp4", has_audio=False) as recorder:
        recorder.write(numbered(1), 7.0)
        recorder.write(numbered(2, 128, 96), 7.5)
        recorder.write(np.full((64, 32, 3), 200, np.uint8), 8.0)  # upright: 24 x 48 in the middle of 64 x 48
    with VideoReader(tmp_path / "new" / "live.mp4") as video:
        frames = video.frames([0.0, 0.5, 1.0])
        assert not video.info.has_audio
    assert numbers_of(frames[:2]) == [1, 2] and frames.shape == (3, 48, 64, 3)
    assert frames[2][24, [10, 32, 54]].mean(axis=-1) == pytest.approx([0, 200, 0], abs=12)


def test_audio_keeps_its_time_and_gaps_are_silent(tmp_path: Path) -> None:
    """A frame every 0.1 s for 6 s; audio of 0.4 from 0.5 to 1.5 s, then from 5 s on, twice from 5.2 to 5.4 s."""
    chunks = {6: (0.5, 1.0), 50: (5.0, 0.4), 52: (5.2, 0.4)}
    with LiveRecorder(tmp_path / "live.mp4", has_audio=True) as recorder:
        for k in range(60):
            start_s, seconds = chunks.get(k, (0.0, 0.0))
            tone = 0.4 * np.sin(np.arange(round(seconds * 16000)) * 0.3).astype(np.float32)
            recorder.write(numbered(k), 10.0 + k / 10, [AudioChunk(10.0 + start_s, tone)] if seconds else [])
    with VideoReader(tmp_path / "live.mp4") as video:
        waveform = video.audio(0.0, 6.0, 16000)
        assert number_of(video.frames([5.1])[0]) == 51
    loud = (np.abs(waveform).reshape(60, 1600) > 0.1).mean(axis=1) > 0.3
    assert np.flatnonzero(loud).tolist() == [*range(5, 15), *range(50, 56)]


def test_an_error_finishes_the_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), LiveRecorder(tmp_path / "live.mp4", has_audio=False) as recorder:
        recorder.write(numbered(1), 0.0)
        recorder.write(numbered(2), 0.1)
        raise RuntimeError
    with VideoReader(tmp_path / "live.mp4") as video:
        assert numbers_of(video.frames([0.0, 0.1])) == [1, 2]


def test_the_file_of_a_killed_process_can_be_played(tmp_path: Path) -> None:
    """A copy of the growing file is what a kill leaves."""
    with LiveRecorder(tmp_path / "live.mp4", has_audio=True) as recorder:
        for k in range(160):
            recorder.write(numbered(k), k / 30, [AudioChunk(k / 30, np.zeros(533, np.float32))])
        killed = shutil.copy(tmp_path / "live.mp4", tmp_path / "killed.mp4")
    with VideoReader(killed) as video:
        assert 2.0 < video.info.duration_s < 5.0
        assert number_of(video.frames([1.5])[0]) == 45


def test_without_a_frame_there_is_no_file(tmp_path: Path) -> None:
    with LiveRecorder(tmp_path / "live.mp4", has_audio=True):
        pass
    assert not list(tmp_path.iterdir())
