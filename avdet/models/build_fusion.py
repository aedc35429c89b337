"""Builds the lateral connections after one stage from the model's settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from avdet.models.fusion import (
    AudioLateral,
    AudioToFastSlow,
    AudioToFastToSlow,
    AudioVisualNonLocal,
    FastToSlow,
    LateralFusion,
    NoLateral,
    SyncTap,
)
from avdet.models.nonlocal_block import CrossAttention
from avdet.settings import AUDIO_STRIDES, ModelConfig

__all__ = ["FUSIONS", "STAGES", "Stage", "build_fusion"]

STAGES = ("pool1", "res2", "res3", "res4", "pool5")  # with lateral connections after them, or before pool5
GROWTH = {"pool1": 1, "res2": 4, "res3": 8, "res4": 16, "pool5": 32}  # channels, in widths of the pathway


@dataclass(frozen=True)
class Stage:
    """The channels after one stage, and the parts of its lateral connections."""

    model: ModelConfig
    name: str

    @property
    def dim_fast(self) -> int:
        return GROWTH[self.name] * self.model.fast_width

    @property
    def dim_audio(self) -> int:
        return GROWTH[self.name] * self.model.audio_width

    @property
    def dim_lateral(self) -> int:
        """Channels of F->S, 0 without it."""
        return 2 * self.dim_fast * (self.name in self.model.fast_to_slow_stages)

    @property
    def dim_fused(self) -> int:
        """Channels of Slow, and of F->S where it is."""
        return GROWTH[self.name] * self.model.width + self.dim_lateral

    @property
    def dim_synced(self) -> int:
        """Channels of the AVS loss: those that A->FS is summed to, else always concat[Slow, F->S]."""
        if self.model.fusion == "a_to_fs" and self.name in self.model.fusion_stages:
            return self.dim_fused
        return GROWTH[self.name] * self.model.width + 2 * self.dim_fast

    @property
    def sync_stage(self) -> str | None:
        return self.name if self.name in self.model.avs_stages else None

    def lateral(self) -> FastToSlow | NoLateral:
        return self.fast_to_slow() if self.name in self.model.fast_to_slow_stages else NoLateral()

    def fast_to_slow(self) -> FastToSlow:
        model = self.model
        norm = model.fast_to_slow_norm
        return FastToSlow(self.dim_fast, kernel=model.fast_to_slow_kernel, alpha=model.alpha, norm=norm)

    def audio_to_slow(self, dim: int) -> AudioLateral:
        return self._audio_lateral(dim, self.model.slow_frames)

    def audio_to_fast(self) -> AudioLateral:
        return self._audio_lateral(self.dim_fast, self.model.clip_frames)

    def _audio_lateral(self, dim: int, frames: int) -> AudioLateral:
        steps = self.model.audio_frames // AUDIO_STRIDES[self.name]
        return AudioLateral(self.dim_audio, self.model.fusion_width, dim, stride=steps // frames)

    def attention(self) -> CrossAttention:
        return CrossAttention(self.dim_fused, self.dim_audio, self.dim_fused // 2, softmax=True)

    def sync_tap(self) -> SyncTap | None:
        if self.sync_stage is None:
            return None
        own = NoLateral() if self.name in self.model.fast_to_slow_stages else self.fast_to_slow()
        return SyncTap(self.name, own, self.audio_to_slow(self.dim_synced))


FUSIONS: dict[str, Callable[[Stage], nn.Module]] = {
    "a_to_fs": lambda at: AudioToFastSlow(at.lateral(), at.audio_to_slow(at.dim_fused), at.sync_stage),
    "a_to_f_to_s": lambda at: AudioToFastToSlow(at.lateral(), sync_tap=at.sync_tap(), audio_lateral=at.audio_to_fast()),
    "nonlocal": lambda at: AudioVisualNonLocal(at.lateral(), sync_tap=at.sync_tap(), attention=at.attention()),
}


def build_fusion(stage: Stage) -> nn.Module:
    """The lateral connections after one stage."""
    if stage.model.uses_audio and stage.name in stage.model.fusion_stages:
        return FUSIONS[stage.model.fusion](stage)
    return LateralFusion(stage.lateral(), stage.sync_tap())
