"""The log-mel picture of a clip's sound, which is what the Audio pathway sees (paper, section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

SAMPLE_RATE = 16_000
WINDOW, HOP = 512, 256  # samples: 32 ms and 16 ms

_FLOOR = 1e-8
_MEAN, _STD = -7.03, 4.66  # of ln(S + 1e-8) over Kinetics


class LogMel(nn.Module):
    """Sound at 16 kHz -> normalised log-mel, time x frequency.

    Power spectrum of 32 ms Hann windows every 16 ms, not padded; mel bins on the HTK scale up to 8 kHz, each of unit
    area; ln(S + 1e-8); less the mean and over the deviation that the paper's models are trained with. However long
    the clip is, it is seen as `num_frames` of its hops, evenly chosen by index (a clip of 2.133 s has 132 hops).
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

    def forward(self, sound: Tensor) -> Tensor:
        """(n,) or (B, n) float32 of [-1, 1], at least one window long -> (num_frames, num_mels) or (B, ..)."""
        log_mel = self.log_mel(sound)
        return (log_mel.index_select(-2, _even_indices(log_mel.shape[-2], self.num_frames)) - _MEAN) / _STD

    def log_mel(self, sound: Tensor) -> Tensor:
        """ln(S + 1e-8) of every hop, (.., hops, num_mels), before choosing and normalising."""
        if sound.shape[-1] < WINDOW:
            raise ValueError(
                f"{sound.shape[-1]} samples of sound are less than one window of {WINDOW} ({WINDOW / SAMPLE_RATE} s); "
                "cut longer clips"
            )
        return torch.log(self.mel(sound) + _FLOOR).transpose(-1, -2)


def _even_indices(length: int, count: int) -> Tensor:
    """`count` indices from 0 to length - 1, evenly spread and rounded down: 132 -> 128, or fewer repeated."""
    return torch.arange(count) * (length - 1) // max(count - 1, 1)
