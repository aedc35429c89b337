"""Builds a model from its settings: the only file of models/ that knows a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from avdet.models.action_model import ActionModel
from avdet.models.audio_pathway import AudioPathway, NoAudioPathway
from avdet.models.avslowfast import AVSlowFast, PackPathways
from avdet.models.build_fusion import STAGES, Stage, build_fusion
from avdet.models.class_loss import ClassLoss
from avdet.models.drop_pathway import DropPathway
from avdet.models.heads import Classifier, ClipHead, RoIHead, build_roi_align
from avdet.models.init_weights import init_weights
from avdet.models.one_pathway import AudioOnly, SlowOnly
from avdet.models.sync_loss import SyncLoss
from avdet.models.visual_pathway import VisualPathway
from avdet.settings import ModelConfig

__all__ = ["build_model"]

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
    dim_audio = 32 * model.audio_width if model.uses_audio else 0
    dim_visual = 0 if model.audio == "only" else 32 * (model.width + model.fast_width)
    classifier = Classifier(dim_visual + dim_audio, classes, dropout=model.dropout)

    def class_loss(count: int) -> ClassLoss:
        groups = exclusive if independent else [range(count)]
        return ClassLoss(count, exclusive=groups, positive_weights=positive_weights)

    network = ActionModel(
        AudioOnly(_audio_pathway(model)) if model.audio == "only" else _visual_network(model, head),
        _roi_head(model, classifier, dim_audio) if head == "roi" else _clip_head(classifier, dim_audio, crop_px),
        _drop_pathway(model),
        sync={stage: SyncLoss(Stage(model, stage).dim_synced) for stage in model.avs_stages},
        avs_weight=model.avs_weight,
        class_losses={name: class_loss(count) for name, count in classes.items()},
    )
    init_weights(network)
    return network


def _audio_pathway(model: ModelConfig) -> AudioPathway:
    return AudioPathway(width=model.audio_width, blocks=model.audio_blocks or model.stage_blocks)


def _visual_network(model: ModelConfig, head: Literal["roi", "clip"]) -> AVSlowFast | SlowOnly:
    slow = VisualPathway(
        width=model.width,
        blocks=model.stage_blocks,
        lateral_dims=[Stage(model, stage).dim_lateral for stage in STAGES[:4]],
        temporal_kernels=(1, 1, 1, 3, 3),
        res4_temporal_blocks=model.res4_temporal_blocks,
        res5_dilation=model.res5_dilation if head == "roi" else None,
        nonlocal_blocks=model.nonlocal_blocks,
        nonlocal_softmax=model.nonlocal_form == "softmax",
        nonlocal_pool=model.nonlocal_pool,
    )
    bgr, strided = model.channel_order == "bgr", model.slow_sampling == "stride"
    alpha = model.clip_frames // model.slow_frames
    pack_pathways = PackPathways(alpha, mean=model.pixel_mean, std=model.pixel_std, bgr=bgr, strided=strided)
    if not model.fast_width:
        return SlowOnly(pack_pathways, slow)
    fast = VisualPathway(
        width=model.fast_width,
        blocks=model.fast_blocks or model.stage_blocks,
        lateral_dims=(0, 0, 0, 0),
        temporal_kernels=(5, 3, 3, 3, 3),
        res4_temporal_blocks=model.res4_temporal_blocks,
        res5_dilation=model.res5_dilation if head == "roi" else None,
    )
    audio = _audio_pathway(model) if model.uses_audio else NoAudioPathway()
    fusion = {stage: build_fusion(Stage(model, stage)) for stage in STAGES}
    return AVSlowFast(pack_pathways, slow, fast, audio, fusion)


def _drop_pathway(model: ModelConfig) -> DropPathway | None:
    if not model.uses_audio:
        return None
    rate = 0.0 if model.audio == "only" else model.drop_pathway_rate
    return DropPathway(rate, full=model.drop_pathway_mode == "full")


def _clip_head(classifier: Classifier, dim_audio: int, crop_px: int) -> ClipHead:
    return ClipHead(classifier, dim_audio=dim_audio, cells=-(-crop_px // FEATURE_STRIDE["clip"]))


def _roi_head(model: ModelConfig, classifier: Classifier, dim_audio: int) -> RoIHead:
    roi_align = build_roi_align(model.roi_resolution, 1 / FEATURE_STRIDE["roi"], aligned=model.roi_aligned)
    return RoIHead(roi_align, classifier, dim_audio=dim_audio)
