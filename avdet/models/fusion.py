"""Lateral connections after a stage (paper, 3.2 and figure 3): F->S, and one class for each way of fusing audio.

Axes: slow (B, C, T, H, W), fast (B, C, alpha*T, H, W), audio (K, C, T, F). Nothing flows back into Audio.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avdet.models.blocks import TemporalConv
from avdet.models.drop_pathway import AudioState
from avdet.models.nonlocal_block import CrossAttention
from avdet.models.ops.channels_last import as_clips, as_frames

__all__ = [
    "AudioLateral",
    "AudioToFastSlow",
    "AudioToFastToSlow",
    "AudioVisualNonLocal",
    "FastToSlow",
    "LateralFusion",
    "NoLateral",
    "SyncTap",
]


class FastToSlow(nn.Module):
    """F->S: a convolution with stride alpha in time brings Fast to Slow's length; its output is concatenated.

    norm: batch norm and ReLU follow the convolution.
    """

    def __init__(self, dim_fast: int, *, kernel: int, alpha: int, norm: bool = True) -> None:
        super().__init__()
        self.conv = TemporalConv(dim_fast, 2 * dim_fast, kernel, stride=alpha)
        if not norm:
            self.conv.norm, self.conv.relu = nn.Identity(), False

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        lateral = self.conv.over_time(as_frames(fast), fast.shape[2])  # (B*T, 2 C_f, H, W)
        return as_clips(torch.cat([as_frames(slow), lateral], dim=1), slow.shape[2])


class NoLateral(nn.Module):
    """No F->S at this stage."""

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        return slow


class AudioLateral(nn.Module):
    """Audio (K, C, T, F) for a visual pathway: the mean over frequency and two convolutions over time.

    Returns (K, D, T / stride, 1).
    """

    def __init__(self, dim_audio: int, dim_inner: int, dim_out: int, *, stride: int, kernel: int = 5) -> None:
        super().__init__()
        self.first = TemporalConv(dim_audio, dim_inner, kernel)
        self.second = TemporalConv(dim_inner, dim_out, kernel, stride=stride)

    def forward(self, audio: Tensor) -> Tensor:
        return self.second(self.first(audio.mean(dim=3, keepdim=True)))


class SyncTap(nn.Module):
    """The inputs of the AVS loss at a stage that lacks F->S or A->FS, such as pool5: it has its own."""

    def __init__(self, stage: str, fast_to_slow: FastToSlow | NoLateral, audio_lateral: AudioLateral) -> None:
        super().__init__()
        self.stage = stage
        self.fast_to_slow = fast_to_slow
        self.audio_lateral = audio_lateral

    def forward(self, slow: Tensor, fast: Tensor, audio: AudioState) -> AudioState:
        if not audio.can_pair:
            return audio
        visual = self.fast_to_slow(slow, fast)
        return audio.with_pair(self.stage, visual, self.audio_lateral(audio.features).squeeze(3))


class LateralFusion(nn.Module):
    """F->S alone, or no lateral connection. sync_tap: the inputs of this stage's AVS loss, if it has one."""

    def __init__(self, fast_to_slow: FastToSlow | NoLateral, sync_tap: SyncTap | None = None) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.sync_tap = sync_tap

    def forward(self, slow: Tensor, fast: Tensor, audio: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        slow = self.fast_to_slow(slow, fast)
        return slow, fast, audio if self.sync_tap is None else self.sync_tap(slow, fast, audio)


class AudioToFastSlow(nn.Module):
    """A->FS, the paper's default: audio is summed to concat[Slow, F->S], the same at every position of a frame.

    sync_stage: the name of this stage where it has an AVS loss.
    """

    def __init__(
        self, fast_to_slow: FastToSlow | NoLateral, audio_lateral: AudioLateral, sync_stage: str | None = None
    ) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.audio_lateral = audio_lateral
        self.sync_stage = sync_stage

    def forward(self, slow: Tensor, fast: Tensor, audio: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        slow = self.fast_to_slow(slow, fast)
        sync_stage = self.sync_stage if audio.can_pair else None
        if sync_stage is None and not audio.fuses:
            return slow, fast, audio
        lateral = self.audio_lateral(audio.features)  # (K or 2K, C, T, 1)
        if sync_stage is not None:
            audio = audio.with_pair(sync_stage, slow, lateral.squeeze(3))
        slow, audio = audio.add_to(slow, lateral.unsqueeze(4))
        return slow, fast, audio


class AudioToFastToSlow(nn.Module):
    """A->F->S: audio is brought to Fast's length and summed to Fast, which is then fused to Slow as usual."""

    def __init__(
        self, fast_to_slow: FastToSlow | NoLateral, audio_lateral: AudioLateral, sync_tap: SyncTap | None = None
    ) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.audio_lateral = audio_lateral
        self.sync_tap = sync_tap

    def forward(self, slow: Tensor, fast: Tensor, audio: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        if self.sync_tap is not None and audio.can_pair:
            audio = self.sync_tap(self.fast_to_slow(slow, fast), fast, audio)
        if audio.fuses:
            fast, audio = audio.add_to(fast, self.audio_lateral(audio.aligned).unsqueeze(4))
        return self.fast_to_slow(slow, fast), fast, audio


class AudioVisualNonLocal(nn.Module):
    """Audiovisual non-local: each position of concat[Slow, F->S] attends to all time steps of audio.

    The paper gives the idea. The details are ours: softmax attention with C / 2 channels, keys and values from the
    mean over frequency, and a last batch norm that starts at zero.
    """

    def __init__(
        self, fast_to_slow: FastToSlow | NoLateral, attention: CrossAttention, sync_tap: SyncTap | None = None
    ) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.sync_tap = sync_tap
        self.attention = attention

    def forward(self, slow: Tensor, fast: Tensor, audio: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        slow = self.fast_to_slow(slow, fast)
        if self.sync_tap is not None:
            audio = self.sync_tap(slow, fast, audio)
        if audio.fuses:
            steps = audio.aligned.mean(dim=3)[:, :, :, None, None]  # (K, C, T, 1, 1)
            slow, audio = audio.add_to(slow, self.attention(slow[audio.clips], steps))
        return slow, fast, audio
