"""From settings to a model: the only file here that knows a config."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from torch import Tensor, nn
from torchvision.ops import RoIAlign

from avdet.models.action_model import ActionModel
from avdet.models.avslowfast import AudioOnly, AVSlowFast, PackPathways
from avdet.models.blocks import Norm, Residual
from avdet.models.class_loss import ClassLoss
from avdet.models.classifier import Classifier
from avdet.models.clip_head import ClipHead
from avdet.models.drop_pathway import DropPathway
from avdet.models.fusion import (
    AudioToFastSlow,
    AudioToFastToSlow,
    AudioToTime,
    AudioVisualNonLocal,
    FastToSlow,
    LateralFusion,
    NoLateral,
    SyncTap,
)
from avdet.models.initialise import initialise
from avdet.models.pathways import AudioPathway, NoAudioPathway, VisualPathway
from avdet.models.roi_head import RoIHead
from avdet.models.sync_loss import SyncLoss
from avdet.settings import AUDIO_STRIDES, ModelConfig

logger = logging.getLogger(__name__)

JOINTS = ("pool1", "res2", "res3", "res4", "pool5")  # where the pathways may meet
GROWTH = {"pool1": 1, "res2": 4, "res3": 8, "res4": 16, "pool5": 32}  # channels, in widths
FEATURE_STRIDE = {"clip": 32, "roi": 16}  # pixels a cell of res5; detection keeps res4's


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
    """A new model with fresh weights.

    num_classes: of the one class set "action", or of each set by name.
    head: "roi" classifies boxes, "clip" whole clips. multilabel: sigmoid, else softmax; boxes are, clips are not.
    exclusive, positive_weights: see ClassLoss; of a multilabel model with one class set.
    crop_px: side of the training pictures; the clip head takes windows of that size from larger ones.
    """
    classes = {"action": num_classes} if isinstance(num_classes, int) else num_classes
    independent = head == "roi" if multilabel is None else multilabel
    dim_audio = 32 * _audio_width(model) if model.uses_audio else 0
    dim_pictures = 0 if model.audio == "only" else 32 * (model.width + _fast_width(model))
    classifier = Classifier(dim_pictures + dim_audio, classes, dropout=model.dropout)
    network = ActionModel(
        _audio_alone(model) if model.audio == "only" else _avslowfast(model, dilate_res5=head == "roi"),
        _roi_head(model, classifier, dim_audio) if head == "roi" else _clip_head(classifier, dim_audio, crop_px),
        _drop_pathway(model),
        sync={stage: SyncLoss(_dim_synced(model, stage)) for stage in model.avs_stages},
        avs_weight=model.avs_weight,
        class_losses={
            name: ClassLoss(
                count, exclusive=exclusive if independent else [range(count)], positive_weights=positive_weights
            )
            for name, count in classes.items()
        },
    )
    initialise(network)
    return network


def convert_sync_batchnorm(model: nn.Module) -> None:
    """Batch norms count over the batches of all processes that train together, which then drop sound together."""
    for module in model.modules():
        if isinstance(module, (Norm, DropPathway)):
            module.together = True


def activation_checkpointing(model: nn.Module) -> None:
    """Every residual block is run twice in training, and keeps its input alone."""
    for module in model.modules():
        if isinstance(module, Residual):
            module.checkpoints_activations = True


def _fast_width(model: ModelConfig) -> int:
    return max(1, round(model.width * model.beta))


def _audio_width(model: ModelConfig) -> int:
    return max(1, round(model.width * model.beta_audio))


def _audio_pathway(model: ModelConfig) -> AudioPathway:
    return AudioPathway(width=_audio_width(model), blocks=model.audio_blocks or model.stage_blocks)


def _audio_alone(model: ModelConfig) -> AudioOnly:
    return AudioOnly(_audio_pathway(model))


def _avslowfast(model: ModelConfig, *, dilate_res5: bool) -> AVSlowFast:
    fast_width = _fast_width(model)
    slow = VisualPathway(
        width=model.width,
        blocks=model.stage_blocks,
        lateral_dims=[2 * fast_width * GROWTH[at] * (at in model.fast_to_slow_stages) for at in JOINTS[:4]],
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
    return AVSlowFast(
        PackPathways(model.alpha), slow, fast, audio, {joint: _junction(model, joint) for joint in JOINTS}
    )


def _junction(model: ModelConfig, joint: str) -> nn.Module:
    """How the pathways meet after one stage."""
    fast_to_slow = _fast_to_slow(model, joint) if joint in model.fast_to_slow_stages else NoLateral()
    sync_stage = joint if joint in model.avs_stages else None
    fused = model.uses_audio and joint in model.fusion_stages
    if fused and model.fusion == "a_to_fs":
        return AudioToFastSlow(fast_to_slow, _audio_to_slow(model, joint, _dim_joined(model, joint)), sync_stage)
    probe = None if sync_stage is None else _sync_probe(model, joint)
    if fused and model.fusion == "a_to_f_to_s":
        assert isinstance(fast_to_slow, FastToSlow)
        return AudioToFastToSlow(fast_to_slow, _audio_to_fast(model, joint), probe)
    if fused and model.fusion == "nonlocal":
        dim_audio = _audio_width(model) * GROWTH[joint]
        return AudioVisualNonLocal(fast_to_slow, _dim_joined(model, joint), dim_audio, probe)
    return LateralFusion(fast_to_slow, probe)


def _dim_joined(model: ModelConfig, joint: str) -> int:
    """Channels that leave a junction: Slow, and F->S where there is one."""
    lateral = 2 * _fast_width(model) if joint in model.fast_to_slow_stages else 0
    return GROWTH[joint] * (model.width + lateral)


def _dim_synced(model: ModelConfig, joint: str) -> int:
    """Channels that the synchronisation loss sees: those that sound is summed to, else always concat[Slow, F->S]."""
    if model.fusion == "a_to_fs" and joint in model.fusion_stages:
        return _dim_joined(model, joint)
    return GROWTH[joint] * (model.width + 2 * _fast_width(model))


def _sync_probe(model: ModelConfig, joint: str) -> SyncTap:
    """A junction that exists for the synchronisation loss alone has an F->S of its own."""
    own = NoLateral() if joint in model.fast_to_slow_stages else _fast_to_slow(model, joint)
    return SyncTap(joint, own, _audio_to_slow(model, joint, _dim_synced(model, joint)))


def _fast_to_slow(model: ModelConfig, joint: str) -> FastToSlow:
    return FastToSlow(_fast_width(model) * GROWTH[joint], kernel=model.fast_to_slow_kernel, alpha=model.alpha)


def _audio_to_slow(model: ModelConfig, joint: str, dim_out: int) -> AudioToTime:
    steps = model.audio_frames // AUDIO_STRIDES[joint]
    return AudioToTime(
        _audio_width(model) * GROWTH[joint], model.fusion_width, dim_out, stride=steps // model.slow_frames
    )


def _audio_to_fast(model: ModelConfig, joint: str) -> AudioToTime:
    steps = model.audio_frames // AUDIO_STRIDES[joint]
    return AudioToTime(
        _audio_width(model) * GROWTH[joint],
        model.fusion_width,
        _fast_width(model) * GROWTH[joint],
        stride=steps // model.fast_frames,
    )


def _drop_pathway(model: ModelConfig) -> DropPathway | None:
    if not model.uses_audio:
        return None
    rate = 0.0 if model.audio == "only" else model.drop_pathway_rate
    return DropPathway(rate, full=model.drop_pathway_mode == "full")


def _clip_head(classifier: Classifier, dim_audio: int, crop_px: int) -> ClipHead:
    return ClipHead(classifier, dim_audio=dim_audio, cells=-(-crop_px // FEATURE_STRIDE["clip"]))


def _roi_head(model: ModelConfig, classifier: Classifier, dim_audio: int) -> RoIHead:
    return RoIHead(_roi_align(model.roi_resolution, 1 / FEATURE_STRIDE["roi"]), classifier, dim_audio=dim_audio)


def _roi_align(resolution: int, scale: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Detectron2's layer where it is installed, torchvision's otherwise: the same operator."""
    try:
        from detectron2.layers import ROIAlign  # noqa: PLC0415  (Detectron2 is optional)
    except ImportError:
        logger.info("RoIAlign is torchvision's (Detectron2 is not installed)")
        return RoIAlign((resolution, resolution), scale, sampling_ratio=0, aligned=True)
    logger.info("RoIAlign is Detectron2's")
    return ROIAlign((resolution, resolution), scale, sampling_ratio=0, aligned=True)
