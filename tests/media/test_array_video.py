"""ArrayVideo: scaling, audio at the requested time and rate, and its checks."""

from __future__ import annotations

import numpy as np
import pytest

from avdet.media.array_video import ArrayVideo

FRAMES = np.zeros((3, 30, 40, 3), np.uint8)


@pytest.mark.parametrize(("short_side", "size"), [(None, (30, 40)), (15, (15, 20)), (60, (60, 80))])
def test_short_side_scales_the_frames_but_not_the_info(short_side: int | None, size: tuple[int, int]) -> None:
    video = ArrayVideo(FRAMES, fps=10.0, short_side=short_side)
    assert video.frames([0.0, 0.1]).shape == (2, *size, 3)
    assert (video.info.height, video.info.width) == (30, 40)


def test_audio_is_zero_outside_the_array() -> None:
    video = ArrayVideo(FRAMES, fps=10.0, waveform=np.full(8000, 0.5, np.float32), sample_rate=8000)
    waveform = video.audio(-0.5, 2.0, 16000)
    assert waveform.shape == (32000,) and video.info.duration_s == 1.0
    assert np.abs(waveform[:7900]).max() < 1e-3 and np.abs(waveform[24100:]).max() < 1e-3
    np.testing.assert_allclose(waveform[8500:23500], 0.5, atol=1e-2)


@pytest.mark.parametrize(
    ("frames", "waveform", "message"),
    [
        (np.zeros((2, 4, 4), np.uint8), None, "give uint8 RGB"),
        (np.zeros((0, 4, 4, 3), np.uint8), None, "T at least 1"),
        (np.zeros((1, 4, 4, 3), np.uint8), np.full(3, np.nan, np.float32), "finite mono floats"),
    ],
)
def test_invalid_arrays_are_rejected(frames: np.ndarray, waveform: np.ndarray | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArrayVideo(frames, fps=1.0, waveform=waveform)


def test_a_list_of_frames_is_a_video() -> None:
    frames = [np.full((4, 6, 3), value, np.uint8) for value in (1, 2)]
    assert ArrayVideo(frames, fps=2.0).frames([0.0, 0.5])[:, 0, 0, 0].tolist() == [1, 2]  # type: ignore[arg-type]
