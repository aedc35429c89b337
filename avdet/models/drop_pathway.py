"""The state of the Audio pathway, and DropPathway, which decides what of it reaches the network (paper, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.distributed as dist
from torch import Tensor, nn

from avdet.distributed import any_process
from avdet.models.ops.sync_batch_norm import Synchronizable

__all__ = ["AudioState", "DropPathway", "SyncPair", "no_audio"]


@dataclass(frozen=True)
class SyncPair:
    """The inputs of the AVS loss at one stage.

    visual: (K, C, T, H, W), before any audio is fused. aligned, misaligned: audio, (K, C, T).
    """

    stage: str
    visual: Tensor
    aligned: Tensor
    misaligned: Tensor


@dataclass(frozen=True)
class AudioState:
    """Audio features (K, C, T, F) of the K clips of a batch that have audio, and how they are used.

    clips: (K,) the indices of those clips.
    paired: the features are those of K aligned and then, in the same order, K misaligned clips.
    lateral: factor of the lateral connections. 1: they are summed. 0: they are computed and add nothing, as the
    reference code drops the pathway. None: they are not computed.
    pooled: whether the head gets the pooled audio.
    mixed: whether an earlier stage summed audio to the visual features.
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
        """Whether the lateral connections from audio are computed."""
        return len(self) > 0 and self.lateral is not None

    @property
    def can_pair(self) -> bool:
        """Whether the AVS loss counts; not after audio is fused, as visual features then contain it (paper, 3.3)."""
        return len(self) > 0 and self.paired and not self.mixed

    @property
    def aligned(self) -> Tensor:
        """The features without those of misaligned audio."""
        return self.features[: len(self)]

    def through(self, stage: nn.Module) -> AudioState:
        """The state after `stage`. Without any clip the stage does not run, nor do its batch norms change."""
        return replace(self, features=stage(self.features)) if len(self) else self

    def with_pair(self, stage: str, visual: Tensor, lateral: Tensor) -> AudioState:
        """Adds the inputs of the AVS loss at `stage`. visual: (B, C, T, H, W); lateral: (2K, C, T)."""
        aligned, misaligned = lateral.tensor_split(2)
        return replace(self, pairs=(*self.pairs, SyncPair(stage, visual[self.clips], aligned, misaligned)))

    def add_to(self, visual: Tensor, lateral: Tensor) -> tuple[Tensor, AudioState]:
        """Sums `lateral` (K or 2K, C, T, h, w) to the clips of `visual` that it belongs to; h and w may be 1."""
        if self.lateral is None:
            return visual, self
        of_all_clips = lateral.new_zeros(len(visual), *lateral.shape[1:])
        of_all_clips = of_all_clips.index_copy(0, self.clips, self.lateral * lateral[: len(self)])
        return visual + of_all_clips, replace(self, mixed=self.mixed or self.lateral > 0)

    def pool(self, batch: int, dim: int) -> Tensor:
        """(B, C) for the head: means over time and frequency, zeros for clips without audio."""
        of_all_clips = self.features.new_zeros(batch, dim)
        if not self.pooled or not len(self):
            return of_all_clips
        return of_all_clips.index_copy(0, self.clips, self.aligned.mean(dim=(2, 3)).to(of_all_clips.dtype))


def no_audio(device: torch.device) -> AudioState:
    """The state of a batch in which no clip has audio."""
    features = torch.zeros(0, 1, 1, 1, device=device)
    return AudioState(features, torch.zeros(0, dtype=torch.long, device=device), lateral=None, pooled=False)


class DropPathway(nn.Module, Synchronizable):
    """Selects which clips' audio enters the network, and how far (paper, 3.2, DropPathway).

    In training the Audio pathway is dropped with probability `rate`, drawn once a call from torch's generator; never in
    evaluation. What remains is not scaled. Clips without audio are always left out.
    full: a dropped pathway reaches neither the visual pathways nor the head, and runs only where the AVS loss needs it
    (`misaligned` is given). Otherwise only the lateral connections are dropped, as in the reference code.

    When synchronized, all processes drop the pathway in the same iterations, and where any of them has no audio.
    """

    def __init__(self, rate: float, *, full: bool = True) -> None:
        super().__init__()
        self.rate = rate
        self.full = full

    def forward(self, audio: Tensor | None, has_audio: Tensor, misaligned: Tensor | None = None) -> AudioState:
        dropped = self.training and bool(torch.rand(()) < self.rate)
        if self.synchronized and self.training:
            dropped, silent, unpaired = self._agree(dropped, has_audio, misaligned)
            audio, misaligned = None if silent else audio, None if unpaired else misaligned
        if audio is None or (dropped and self.full and misaligned is None):
            return no_audio(has_audio.device)
        clips = has_audio.nonzero().flatten()
        features = audio[clips]
        if misaligned is not None:
            features = torch.cat([features, misaligned[clips]])
        state = AudioState(features, clips, paired=misaligned is not None)
        if not dropped:
            return state
        return replace(state, lateral=None, pooled=False) if self.full else replace(state, lateral=0.0)

    @staticmethod
    def _agree(dropped: bool, has_audio: Tensor, misaligned: Tensor | None) -> list[bool]:
        """Whether the first process drops it, whether any has no audio, whether any has no misaligned audio."""
        is_first = not dist.is_initialized() or dist.get_rank() == 0
        return any_process([dropped and is_first, not has_audio.any(), misaligned is None], has_audio.device)
