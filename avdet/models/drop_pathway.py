"""What the Audio pathway carries: the sound of some clips of a batch, and how far it is let into the pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.distributed as dist
from torch import Tensor, nn

from avdet.models.ops.sync_batch_norm import any_process


@dataclass(frozen=True)
class SyncPair:
    """What a junction shows to the synchronisation loss: pictures that have heard nothing yet (K, C, T, H, W), and the
    aligned and the misaligned sound (K, C, T)."""

    stage: str
    pictures: Tensor
    aligned: Tensor
    misaligned: Tensor


@dataclass(frozen=True)
class AudioState:
    """Features (K, C, T, F) of the K clips of a batch that are heard; `clips` (K,) says which clips those are.

    paired: the features hold K aligned sounds and then, in the same order, K misaligned ones.
    lateral: factor of the connections into the visual pathways. 1: they are there. 0: they are computed and add
    nothing, which is how the reference code drops the pathway. None: they are not computed.
    pooled: whether the head hears the sound.
    mixed: whether an earlier junction let the pictures hear it.
    """

    features: Tensor
    clips: Tensor
    paired: bool = False
    lateral: float | None = 1.0
    pooled: bool = True
    mixed: bool = False
    pairs: tuple[SyncPair, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def fuses(self) -> bool:
        return len(self) > 0 and self.lateral is not None

    @property
    def may_pair(self) -> bool:
        """Once the pictures have heard the sound, telling whether both are in step is too easy (paper, 3.3)."""
        return len(self) > 0 and self.paired and not self.mixed

    @property
    def aligned(self) -> Tensor:
        return self.features[: len(self)]

    def through(self, stage: nn.Module) -> AudioState:
        """No clip, no work: batch norms see only sound that is there."""
        return replace(self, features=stage(self.features)) if len(self) else self

    def show(self, stage: str, pictures: Tensor, heard: Tensor) -> AudioState:
        """Remember what a junction saw (B, C, T, H, W) and heard (2K, C, T)."""
        aligned, misaligned = heard.tensor_split(2)
        return replace(self, pairs=(*self.pairs, SyncPair(stage, pictures[self.clips], aligned, misaligned)))

    def add_to(self, pictures: Tensor, heard: Tensor) -> tuple[Tensor, AudioState]:
        """Sum what was heard (K or more, C, T, h, w) to the clips it belongs to; broadcasts over H and W."""
        if self.lateral is None:
            return pictures, self
        everyone = heard.new_zeros(len(pictures), *heard.shape[1:])
        everyone = everyone.index_copy(0, self.clips, self.lateral * heard[: len(self)])
        return pictures + everyone, replace(self, mixed=self.mixed or self.lateral > 0)

    def pool(self, batch: int, dim: int) -> Tensor:
        """(B, C) for the head: means over time and frequency, zeros for clips that are not heard."""
        everyone = self.features.new_zeros(batch, dim)
        if not self.pooled or not len(self):
            return everyone
        return everyone.index_copy(0, self.clips, self.aligned.mean(dim=(2, 3)).to(everyone.dtype))


def no_audio(device: torch.device) -> AudioState:
    """No clip is heard."""
    nothing = torch.zeros(0, 1, 1, 1, device=device)
    return AudioState(nothing, torch.zeros(0, dtype=torch.long, device=device), lateral=None, pooled=False)


class DropPathway(nn.Module):
    """Which clips' sound reaches the network, and how far (paper, 3.2, DropPathway).

    In training the Audio pathway is dropped with probability `rate`, drawn once a call from torch's generator; never in
    evaluation, and what remains is not scaled. full: neither the visual pathways nor the head hear it, and unless
    the synchronisation loss wants it (`misaligned` is given), it is not run. Otherwise only the lateral connections
    fall silent, as in the reference code. Clips without sound are never heard.

    together: the processes that train together drop it together, and also where one of them has nothing to hear,
    because batch norms over all of them need all of them; set by `convert_sync_batchnorm`.
    """

    together = False

    def __init__(self, rate: float, *, full: bool = True) -> None:
        super().__init__()
        self.rate = rate
        self.full = full

    def forward(self, audio: Tensor | None, has_audio: Tensor, misaligned: Tensor | None = None) -> AudioState:
        dropped = self.training and bool(torch.rand(()) < self.rate)
        if self.together and self.training:
            dropped, silent, unpaired = self._agree(dropped, has_audio, misaligned)
            audio, misaligned = None if silent else audio, None if unpaired else misaligned
        if audio is None or (dropped and self.full and misaligned is None):
            return no_audio(has_audio.device)
        clips = has_audio.nonzero().flatten()
        features = audio[clips]
        if misaligned is not None:
            features = torch.cat([features, misaligned[clips]])
        sound = AudioState(features, clips, paired=misaligned is not None)
        if not dropped:
            return sound
        return replace(sound, lateral=None, pooled=False) if self.full else replace(sound, lateral=0.0)

    @staticmethod
    def _agree(dropped: bool, has_audio: Tensor, misaligned: Tensor | None) -> list[bool]:
        """Whether the first process drops it, whether any has no sound, whether any has no misaligned sound."""
        is_first = not dist.is_initialized() or dist.get_rank() == 0
        return any_process([dropped and is_first, not has_audio.any(), misaligned is None], has_audio.device)
