from __future__ import annotations

import numpy as np
import pytest

from avdet.inference.stream_window import StreamBuffer
from avdet.media.stream_chunk import AudioChunk, VideoFrame
from avdet.media.video_source import VideoSource


def test_a_buffer_keeps_its_seconds_and_a_window_reads_like_a_video() -> None:
    buffer = StreamBuffer(2.0)
    assert buffer.newest_s == -np.inf
    for number in range(100):
        buffer.add(VideoFrame(number / 25, np.full((48, 64, 3), number, np.uint8)))
        buffer.add(AudioChunk(number / 25, np.full(640, number / 100, np.float32)))
    window = buffer.window(24)
    assert (len(window.video), buffer.newest_s) == (51, 3.96)
    assert window.info.fps == pytest.approx(25) and window.info.has_audio
    frames = window.frames([2.0, 3.0, 3.039, 9.0])
    assert frames.shape == (4, 24, 32, 3) and frames[:, 0, 0, 0].tolist() == [50, 75, 75, 99]
    waveform = window.audio(3.0, 1.5, 16000)
    assert waveform.shape == (24000,) and waveform[0] == pytest.approx(0.75)
    assert waveform[15999] == pytest.approx(0.99) and not waveform[16000:].any()
    assert not window.audio(-9.0, 0.5, 16000).any()


def test_a_window_is_a_video_source() -> None:
    buffer = StreamBuffer(2.0)
    for number in range(3):
        buffer.add(VideoFrame(number / 2, np.full((4, 4, 3), number, np.uint8)))
    source: VideoSource = buffer.window(4)
    with source as video:
        batch = video.frame_batch([-1.0, 0.75, 1.0, 1.5])
    assert batch.times_s.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert batch.past_end.tolist() == [False, False, False, True]
    assert not source.info.has_audio
