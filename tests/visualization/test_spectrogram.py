from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.media.reader import VideoReader
from avdet.visualization.spectrogram import SILENCE, coloured, log_mel_columns
from avdet.visualization.spectrogram_bar import SpectrogramBar
from tests.media.make_videos import write_video

RATE = 16000


def _clicks(duration_s: float, *times_s: float) -> NDArray[np.float32]:
    """Silence with a 5 ms burst of noise at each time."""
    sound = np.zeros(round(duration_s * RATE), np.float32)
    burst = np.random.default_rng(0).uniform(-0.9, 0.9, 80).astype(np.float32)
    for time_s in times_s:
        sound[round(time_s * RATE) :][:80] = burst
    return sound


def _movie(folder: Path, duration_s: float, *times_s: float) -> Path:
    return write_video(
        folder / "clip.mov", num_frames=round(duration_s * 5), fps=5, waveform=_clicks(duration_s, *times_s),
        audio_codec="pcm_s16le",
    )  # fmt: skip


@pytest.mark.parametrize("max_columns", [60, 500, 10_000])
def test_a_click_stands_in_its_column(tmp_path: Path, max_columns: int) -> None:
    """Also behind 20 s, where the next block of sound begins."""
    with VideoReader(_movie(tmp_path, 24.0, 3.0, 21.5)) as reader:
        log_mel = log_mel_columns(reader, 0.0, 24.0, max_columns=max_columns)
    columns = log_mel.shape[1]
    assert log_mel.shape == (80, min(max_columns, 1500))
    loud = np.flatnonzero(log_mel.max(axis=0) > SILENCE + 4)
    seconds = (loud + 0.5) / columns * 24.0
    assert [min(abs(seconds - at)) < 24 / columns + 0.016 for at in (3.0, 21.5)] == [True, True]
    assert all(min(abs(second - 3.0), abs(second - 21.5)) < 24 / columns + 0.05 for second in seconds)


def test_a_span_is_that_part_of_the_whole(tmp_path: Path) -> None:
    with VideoReader(_movie(tmp_path, 6.0, 1.0, 2.5, 4.0)) as reader:
        whole = log_mel_columns(reader, 0.0, 6.0, max_columns=1000)
        part = log_mel_columns(reader, 1.92, 1.6, max_columns=1000)
    np.testing.assert_allclose(part, whole[:, 120:220], atol=1e-3)


def test_high_notes_are_on_top_and_loud_ones_bright() -> None:
    log_mel = np.full((80, 3), -14.0, np.float32)
    log_mel[0, 1], log_mel[79, 2] = 0.0, -7.0
    level = coloured(log_mel).astype(int).sum(axis=-1)
    assert level[79, 1] > level[0, 2] > level[0, 0] and level[0, 0] < 10


def test_the_cursor_goes_through_pages_of_one_length(tmp_path: Path) -> None:
    places = {}
    with SpectrogramBar(_movie(tmp_path, 24.0, 3.0)) as strip:
        assert strip.page_s == pytest.approx(8.0, abs=0.1)
        for time_s in (0.0, 2.0, 6.0, 10.0, 23.9):
            picture = np.zeros((50, 400, 3), np.uint8)
            strip.draw(picture, time_s)
            white = np.flatnonzero((picture == 255).all(axis=(0, 2)))
            places[time_s] = white.mean() / 400
    assert places == pytest.approx({0.0: 0.0, 2.0: 0.25, 6.0: 0.75, 10.0: 0.25, 23.9: 0.99}, abs=0.01)
