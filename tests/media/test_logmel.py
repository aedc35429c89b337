"""LogMel against numpy alone and against the reference's recorded numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avdet.media.logmel import HOP, SAMPLE_RATE, WINDOW, LogMel
from tests.shared import SHARED, needs_shared


def _log_mel_by_hand(waveform: NDArray[np.float64], num_mels: int = 80) -> NDArray[np.float64]:
    """(hops, mels) from numpy alone, in float64."""
    hops = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.rfft(hops * window)) ** 2
    corner_mels = np.linspace(0, 2595 * math.log10(1 + 8000 / 700), num_mels + 2)
    corners_hz = 700 * (10 ** (corner_mels / 2595) - 1)
    bins_hz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    filters = np.zeros((num_mels, len(bins_hz)))
    for mel, (low, middle, high) in enumerate(zip(corners_hz, corners_hz[1:], corners_hz[2:], strict=False)):
        rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
        filters[mel] = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return np.log(power @ filters.T + 1e-8)


def _noise(num_samples: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(7)
    swell = np.abs(np.sin(np.arange(num_samples) / 3000))
    return (0.3 * swell * rng.standard_normal(num_samples)).astype(np.float32)


def test_log_mel_equals_numpy() -> None:
    waveform = _noise(34_133)
    log_mel = LogMel().log_mel(torch.from_numpy(waveform)).numpy()
    assert log_mel.shape == (132, 80)
    np.testing.assert_allclose(log_mel, _log_mel_by_hand(waveform.astype(np.float64)), atol=2e-3)


def test_132_hops_become_128_by_index_and_are_normalised() -> None:
    waveform = _noise(34_133)
    by_hand = _log_mel_by_hand(waveform.astype(np.float64))
    rows = [math.floor(k * 131 / 127 + 1e-9) for k in range(128)]
    assert rows[0] == 0 and rows[-1] == 131
    log_mel = LogMel()(torch.from_numpy(waveform)).numpy()
    np.testing.assert_allclose(log_mel, (by_hand[rows] + 7.03) / 4.66, atol=5e-4)


def test_silence_gives_the_floor_everywhere() -> None:
    log_mel = LogMel()(torch.zeros(33_024))
    assert log_mel.shape == (128, 80)
    torch.testing.assert_close(log_mel, torch.full((128, 80), (math.log(1e-8) + 7.03) / 4.66))


def test_short_waveform_repeats_its_hops() -> None:
    model = LogMel(num_frames=4, num_mels=40)
    waveform = torch.from_numpy(_noise(WINDOW + HOP))  # two hops
    log_mel = model.log_mel(waveform)
    # 4 frames of 2 hops: indices k * 1 // 3.
    torch.testing.assert_close(model(waveform), (log_mel[[0, 0, 0, 1]] + 7.03) / 4.66)


def test_batch_equals_single_waveforms() -> None:
    waveforms = torch.from_numpy(_noise(40_000)).reshape(2, 20_000)
    torch.testing.assert_close(LogMel()(waveforms), torch.stack([LogMel()(waveform) for waveform in waveforms]))


def test_less_than_a_window_is_rejected() -> None:
    with pytest.raises(ValueError, match="the waveform has 511 samples, less than one window of 512"):
        LogMel()(torch.zeros(WINDOW - 1))


@needs_shared
def test_recorded_numbers_of_the_reference() -> None:
    golden = np.load(SHARED / "golden" / "logmel_16k.npz")
    model = LogMel()
    log_mel = model.log_mel(torch.from_numpy(golden["wave_16000"]))
    np.testing.assert_allclose(log_mel.numpy().T, golden["logmel_16000"], atol=2e-3)
    no_audio = model.log_mel(torch.zeros(len(golden["wave_16000"])))
    np.testing.assert_allclose(no_audio.numpy().T, golden["logmel_zeros"], atol=2e-3)
