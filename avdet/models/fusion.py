"""How the pathways meet after a stage (paper, 3.2 and figure 3): F->S, and one class for each way that sound joins.

Axes: slow (B, C, T, H, W), fast (B, C, alpha*T, H, W), sound (K, C, T, F); nothing ever flows back into Audio.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avdet.models.blocks import TemporalConv, as_clips, as_frames
from avdet.models.drop_pathway import AudioState
from avdet.models.nonlocal_block import CrossAttention


class FastToSlow(nn.Module):
    """F->S: a time-strided convolution brings Fast to Slow's length; the result is concatenated to Slow."""

    def __init__(self, dim_fast: int, *, kernel: int, alpha: int) -> None:
        super().__init__()
        self.conv = TemporalConv(dim_fast, 2 * dim_fast, kernel, stride=alpha)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        brought = self.conv.over(as_frames(fast), fast.shape[2])  # (B*T, 2 C_f, H, W)
        return as_clips(torch.cat([as_frames(slow), brought], dim=1), slow.shape[2])


class NoLateral(nn.Module):
    """No F->S at this stage."""

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        return slow


class AudioToTime(nn.Module):
    """Sound (K, C, T, F) as a sequence (K, D, T / stride, 1): the mean over frequency, two convolutions over time."""

    def __init__(self, dim_audio: int, dim_inner: int, dim_out: int, *, stride: int, kernel: int = 5) -> None:
        super().__init__()
        self.first = TemporalConv(dim_audio, dim_inner, kernel)
        self.second = TemporalConv(dim_inner, dim_out, kernel, stride=stride)

    def forward(self, features: Tensor) -> Tensor:
        return self.second(self.first(features.mean(dim=3, keepdim=True)))


class SyncTap(nn.Module):
    """What the synchronisation loss needs at a junction that has no F->S or no A->FS of its own (pool5, say)."""

    def __init__(self, stage: str, fast_to_slow: FastToSlow | NoLateral, to_time: AudioToTime) -> None:
        super().__init__()
        self.stage = stage
        self.fast_to_slow = fast_to_slow
        self.to_time = to_time

    def forward(self, slow: Tensor, fast: Tensor, sound: AudioState) -> AudioState:
        if not sound.may_pair:
            return sound
        return sound.show(self.stage, self.fast_to_slow(slow, fast), self.to_time(sound.features).squeeze(3))


class LateralFusion(nn.Module):
    """F->S (or not), and no sound. `probe`: where the synchronisation loss looks on."""

    def __init__(self, fast_to_slow: FastToSlow | NoLateral, probe: SyncTap | None = None) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.probe = probe

    def forward(self, slow: Tensor, fast: Tensor, sound: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        slow = self.fast_to_slow(slow, fast)
        return slow, fast, sound if self.probe is None else self.probe(slow, fast, sound)


class AudioToFastSlow(nn.Module):
    """A->FS, the paper's choice: sound is summed to concat[Slow, F->S], the same at every place of a frame.

    sync_stage: the name under which the synchronisation loss sees this junction, if it does.
    """

    def __init__(
        self, fast_to_slow: FastToSlow | NoLateral, to_time: AudioToTime, sync_stage: str | None = None
    ) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.to_time = to_time
        self.sync_stage = sync_stage

    def forward(self, slow: Tensor, fast: Tensor, sound: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        slow = self.fast_to_slow(slow, fast)
        watched = self.sync_stage is not None and sound.may_pair
        if not (sound.fuses or watched):
            return slow, fast, sound
        heard = self.to_time(sound.features)  # (K or 2K, C, T, 1)
        if self.sync_stage is not None and watched:
            sound = sound.show(self.sync_stage, slow, heard.squeeze(3))
        slow, sound = sound.add_to(slow, heard.unsqueeze(4))
        return slow, fast, sound


class AudioToFastToSlow(nn.Module):
    """A->F->S: sound is brought to Fast's length and summed to Fast, and Fast is then fused to Slow as usual."""

    def __init__(self, fast_to_slow: FastToSlow, to_time: AudioToTime, probe: SyncTap | None = None) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.to_time = to_time
        self.probe = probe

    def forward(self, slow: Tensor, fast: Tensor, sound: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        if self.probe is not None and sound.may_pair:
            sound = self.probe(self.fast_to_slow(slow, fast), fast, sound)
        if sound.fuses:
            fast, sound = sound.add_to(fast, self.to_time(sound.aligned).unsqueeze(4))
        return self.fast_to_slow(slow, fast), fast, sound


class AudioVisualNonLocal(nn.Module):
    """Audiovisual non-local: each place and time of concat[Slow, F->S] gathers from all time steps of the sound.

    The paper gives the idea; the form is ours: softmax attention from C / 2 channels, keys and values from the sound's
    mean over frequency, a last batch norm that starts at zero.
    """

    def __init__(
        self, fast_to_slow: FastToSlow | NoLateral, dim_fused: int, dim_audio: int, probe: SyncTap | None = None
    ) -> None:
        super().__init__()
        self.fast_to_slow = fast_to_slow
        self.probe = probe
        self.gather = CrossAttention(dim_fused, dim_audio, dim_fused // 2, softmax=True)

    def forward(self, slow: Tensor, fast: Tensor, sound: AudioState) -> tuple[Tensor, Tensor, AudioState]:
        slow = self.fast_to_slow(slow, fast)
        if self.probe is not None:
            sound = self.probe(slow, fast, sound)
        if sound.fuses:
            steps = sound.aligned.mean(dim=3)[:, :, :, None, None]  # (K, C, T, 1, 1)
            slow, sound = sound.add_to(slow, self.gather(slow[sound.clips], steps))
        return slow, fast, sound
