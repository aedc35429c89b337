"""LogMel: the log-mel spectrogram that the Audio pathway receives (paper, section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

__all__ = ["HOP", "SAMPLE_RATE", "WINDOW", "LogMel"]

SAMPLE_RATE = 16_000
WINDOW, HOP = 512, 256  # samples: 32 ms and 16 ms

_FLOOR = 1e-8
_MEAN, _STD = -7.03, 4.66  # of ln(S + 1e-8) over Kinetics


class LogMel(nn.Module):
    """Converts a waveform at 16 kHz to a normalised log-mel spectrogram (T, F).

    Power spectrum of 32 ms Hann windows every 16 ms without padding; mel bins on the HTK scale up to 8 kHz, each of
    unit area; ln(S + 1e-8); normalised by the mean and standard deviation with which the paper's models are trained.
    Selects `num_frames` hops, evenly spaced by index, of a clip of any length (a clip of 2.133 s has 132 hops).
    """

    def __init__(self, *, num_frames: int = 128, num_mels: int = 80) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.num_mels = num_mels
        self.mel = MelSpectrogram(
            sample_rate=SAMPLE_RATE,
            n_fft=WINDOW,
            win_length=WINDOW,
            hop_length=HOP,
            power=2.0,
            center=False,
            n_mels=num_mels,
            f_min=0.0,
            f_max=SAMPLE_RATE / 2,
            norm="slaney",
            mel_scale="htk",
        )

    def forward(self, waveform: Tensor) -> Tensor:
        """(n,) or (B, n) float32 in [-1, 1], at least one window long -> (num_frames, num_mels) or (B, ..)."""
        log_mel = self.log_mel(waveform)
        return (log_mel.index_select(-2, _even_indices(log_mel.shape[-2], self.num_frames)) - _MEAN) / _STD

    def log_mel(self, waveform: Tensor) -> Tensor:
        """Returns ln(S + 1e-8) of every hop (.., hops, num_mels), before selection and normalisation."""
        if waveform.shape[-1] < WINDOW:
            raise ValueError(
                f"the waveform has {waveform.shape[-1]} samples, less than one window of {WINDOW} "
                f"({WINDOW / SAMPLE_RATE} s); extract longer clips"
            )
        return torch.log(self.mel(waveform) + _FLOOR).transpose(-1, -2)


def _even_indices(length: int, count: int) -> Tensor:
    """(count,) indices from 0 to length - 1, evenly spaced and rounded down; indices repeat if `length` < `count`."""
    return torch.arange(count) * (length - 1) // max(count - 1, 1)
