from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.media.video_reader import VideoReader
from avdet.visualization.spectrogram import SILENCE, SpectrogramBar, log_mel_image, read_log_mel
from tests.media.make_videos import write_video

RATE = 16000


def _clicks(duration_s: float, *times_s: float) -> NDArray[np.float32]:
    """Silence with a 5 ms burst of noise at each time."""
    audio = np.zeros(round(duration_s * RATE), np.float32)
    burst = np.random.default_rng(0).uniform(-0.9, 0.9, 80).astype(np.float32)
    for time_s in times_s:
        audio[round(time_s * RATE) :][:80] = burst
    return audio


def _video_with_clicks(folder: Path, duration_s: float, *times_s: float) -> Path:
    return write_video(
        folder / "clip.mov", num_frames=round(duration_s * 5), fps=5, waveform=_clicks(duration_s, *times_s),
        audio_codec="pcm_s16le",
    )  # fmt: skip


@pytest.mark.parametrize("max_columns", [60, 500, 10_000])
def test_a_click_is_in_the_column_of_its_time(tmp_path: Path, max_columns: int) -> None:
    """One click is after 20 s, in the second block of audio."""
    with VideoReader(_video_with_clicks(tmp_path, 24.0, 3.0, 21.5)) as reader:
        log_mel = read_log_mel(reader, 0.0, 24.0, max_columns=max_columns)
    columns = log_mel.shape[1]
    assert log_mel.shape == (80, min(max_columns, 1500))
    loud = np.flatnonzero(log_mel.max(axis=0) > SILENCE + 4)
    loud_s = (loud + 0.5) / columns * 24.0
    assert all(min(abs(loud_s - click_s)) < 24 / columns + 0.016 for click_s in (3.0, 21.5))
    assert all(min(abs(time_s - 3.0), abs(time_s - 21.5)) < 24 / columns + 0.05 for time_s in loud_s)


def test_a_span_equals_that_part_of_the_whole(tmp_path: Path) -> None:
    with VideoReader(_video_with_clicks(tmp_path, 6.0, 1.0, 2.5, 4.0)) as reader:
        whole = read_log_mel(reader, 0.0, 6.0, max_columns=1000)
        span = read_log_mel(reader, 1.92, 1.6, max_columns=1000)
    np.testing.assert_allclose(span, whole[:, 120:220], atol=1e-3)


def test_high_bins_are_on_top_and_loud_ones_bright() -> None:
    log_mel = np.full((80, 3), -14.0, np.float32)
    log_mel[0, 1], log_mel[79, 2] = 0.0, -7.0
    brightness = log_mel_image(log_mel).astype(int).sum(axis=-1)
    assert brightness[79, 1] > brightness[0, 2] > brightness[0, 0] and brightness[0, 0] < 10


def test_the_cursor_moves_through_pages_of_equal_duration(tmp_path: Path) -> None:
    positions = {}
    with SpectrogramBar(_video_with_clicks(tmp_path, 24.0, 3.0)) as spectrogram_bar:
        assert spectrogram_bar.page_s == pytest.approx(8.0, abs=0.1)
        for time_s in (0.0, 2.0, 6.0, 10.0, 23.9):
            bar = np.zeros((50, 400, 3), np.uint8)
            spectrogram_bar.draw(bar, time_s)
            white = np.flatnonzero((bar == 255).all(axis=(0, 2)))
            positions[time_s] = white.mean() / 400
    assert positions == pytest.approx({0.0: 0.0, 2.0: 0.25, 6.0: 0.75, 10.0: 0.25, 23.9: 0.99}, abs=0.01)
