"""Builds a model from its settings: the only file of models/ that knows a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from avdet.models.action_model import ActionModel
from avdet.models.avslowfast import AudioOnly, AVSlowFast, PackPathways
from avdet.models.class_loss import ClassLoss
from avdet.models.drop_pathway import DropPathway
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
from avdet.models.heads import Classifier, ClipHead, RoIHead, build_roi_align
from avdet.models.init_weights import init_weights
from avdet.models.nonlocal_block import CrossAttention
from avdet.models.pathways import AudioPathway, NoAudioPathway, VisualPathway
from avdet.models.sync_loss import SyncLoss
from avdet.settings import AUDIO_STRIDES, ModelConfig

__all__ = ["build_model"]

STAGES = ("pool1", "res2", "res3", "res4", "pool5")  # with lateral connections after them, or before pool5
GROWTH = {"pool1": 1, "res2": 4, "res3": 8, "res4": 16, "pool5": 32}  # channels, in widths of the pathway
FEATURE_STRIDE = {"clip": 32, "roi": 16}  # pixels per cell of res5


def build_model(
    model: ModelConfig,
    *,
    num_classes: int | Mapping[str, int],
    head: Literal["roi", "clip"],
    multilabel: bool | None = None,
    exclusive: Sequence[Sequence[int]] = (),
    positive_weights: Tensor | None = None,
    crop_px: int = 224,
) -> ActionModel:
    """A model with new weights.

    num_classes: of the class set "action", or of each class set by name.
    head: "roi" classifies boxes, "clip" whole clips.
    multilabel: sigmoid, else softmax. None: sigmoid for boxes, softmax for clips.
    exclusive, positive_weights: see ClassLoss; for a multilabel model with one class set.
    crop_px: side of the training frames; the clip head scores larger frames in windows of this size.
    """
    classes = {"action": num_classes} if isinstance(num_classes, int) else num_classes
    independent = head == "roi" if multilabel is None else multilabel
    dim_audio = 32 * _audio_width(model) if model.uses_audio else 0
    dim_visual = 0 if model.audio == "only" else 32 * (model.width + _fast_width(model))
    classifier = Classifier(dim_visual + dim_audio, classes, dropout=model.dropout)

    def class_loss(count: int) -> ClassLoss:
        groups = exclusive if independent else [range(count)]
        return ClassLoss(count, exclusive=groups, positive_weights=positive_weights)

    network = ActionModel(
        AudioOnly(_audio_pathway(model)) if model.audio == "only" else _avslowfast(model, dilate_res5=head == "roi"),
        _roi_head(model, classifier, dim_audio) if head == "roi" else _clip_head(classifier, dim_audio, crop_px),
        _drop_pathway(model),
        sync={stage: SyncLoss(_Stage(model, stage).dim_synced) for stage in model.avs_stages},
        avs_weight=model.avs_weight,
        class_losses={name: class_loss(count) for name, count in classes.items()},
    )
    init_weights(network)
    return network


def _fast_width(model: ModelConfig) -> int:
    return max(1, round(model.width * model.beta))


def _audio_width(model: ModelConfig) -> int:
    return max(1, round(model.width * model.beta_audio))


def _audio_pathway(model: ModelConfig) -> AudioPathway:
    return AudioPathway(width=_audio_width(model), blocks=model.audio_blocks or model.stage_blocks)


def _avslowfast(model: ModelConfig, *, dilate_res5: bool) -> AVSlowFast:
    fast_width = _fast_width(model)
    slow = VisualPathway(
        width=model.width,
        blocks=model.stage_blocks,
        lateral_dims=[2 * fast_width * GROWTH[stage] * (stage in model.fast_to_slow_stages) for stage in STAGES[:4]],
        temporal_kernels=(1, 1, 1, 3, 3),
        res4_temporal_blocks=model.res4_temporal_blocks,
        dilate_res5=dilate_res5,
        nonlocal_blocks=model.nonlocal_blocks,
        nonlocal_softmax=model.nonlocal_form == "softmax",
    )
    fast = VisualPathway(
        width=fast_width,
        blocks=model.stage_blocks,
        lateral_dims=(0, 0, 0, 0),
        temporal_kernels=(5, 3, 3, 3, 3),
        res4_temporal_blocks=model.res4_temporal_blocks,
        dilate_res5=dilate_res5,
    )
    audio = _audio_pathway(model) if model.uses_audio else NoAudioPathway()
    fusion = {stage: _fusion(_Stage(model, stage)) for stage in STAGES}
    return AVSlowFast(PackPathways(model.alpha), slow, fast, audio, fusion)


@dataclass(frozen=True)
class _Stage:
    """The channels after one stage, and the parts of its lateral connections."""

    model: ModelConfig
    name: str

    @property
    def dim_fast(self) -> int:
        return GROWTH[self.name] * _fast_width(self.model)

    @property
    def dim_audio(self) -> int:
        return GROWTH[self.name] * _audio_width(self.model)

    @property
    def dim_fused(self) -> int:
        """Channels of Slow, and of F->S where it is."""
        has_lateral = self.name in self.model.fast_to_slow_stages
        return GROWTH[self.name] * self.model.width + 2 * self.dim_fast * has_lateral

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
        return FastToSlow(self.dim_fast, kernel=self.model.fast_to_slow_kernel, alpha=self.model.alpha)

    def audio_to_slow(self, dim: int) -> AudioLateral:
        return self._audio_lateral(dim, self.model.slow_frames)

    def audio_to_fast(self) -> AudioLateral:
        return self._audio_lateral(self.dim_fast, self.model.fast_frames)

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


FUSIONS: dict[str, Callable[[_Stage], nn.Module]] = {
    "a_to_fs": lambda at: AudioToFastSlow(at.lateral(), at.audio_to_slow(at.dim_fused), at.sync_stage),
    "a_to_f_to_s": lambda at: AudioToFastToSlow(at.lateral(), sync_tap=at.sync_tap(), audio_lateral=at.audio_to_fast()),
    "nonlocal": lambda at: AudioVisualNonLocal(at.lateral(), sync_tap=at.sync_tap(), attention=at.attention()),
}


def _fusion(stage: _Stage) -> nn.Module:
    """The lateral connections after one stage."""
    if stage.model.uses_audio and stage.name in stage.model.fusion_stages:
        return FUSIONS[stage.model.fusion](stage)
    return LateralFusion(stage.lateral(), stage.sync_tap())


def _drop_pathway(model: ModelConfig) -> DropPathway | None:
    if not model.uses_audio:
        return None
    rate = 0.0 if model.audio == "only" else model.drop_pathway_rate
    return DropPathway(rate, full=model.drop_pathway_mode == "full")


def _clip_head(classifier: Classifier, dim_audio: int, crop_px: int) -> ClipHead:
    return ClipHead(classifier, dim_audio=dim_audio, cells=-(-crop_px // FEATURE_STRIDE["clip"]))


def _roi_head(model: ModelConfig, classifier: Classifier, dim_audio: int) -> RoIHead:
    return RoIHead(build_roi_align(model.roi_resolution, 1 / FEATURE_STRIDE["roi"]), classifier, dim_audio=dim_audio)
