"""Class activation maps of boxes (Zhou et al., arXiv 1512.04150): which frames and audio a score comes from.

The classifier is linear and its input is pooled, so it can be applied at every position before pooling. That gives a
map over time and space and one over time and frequency; the mean of the audio map is what pooled audio adds to the
logit. Audio that reaches the visual features by lateral connections counts in the visual map. The total effect of
audio is the difference to the logit of the same clip without audio.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdet.models.action_model import ActionModel
from avdet.models.avslowfast import Features
from avdet.models.class_loss import ClassLoss
from avdet.models.heads import RoIHead
from avdet.models.one_pathway import AudioOnly
from avdet.structures import ClipBatch

__all__ = ["ActivationMaps", "ExplainedPerson", "Explanation", "activation_maps"]


@dataclass(frozen=True)
class ActivationMaps:
    """Maps, logits and scores of N boxes, each for its class.

    visual: (N, T, h, w), with the Fast pathway's T; only the cells of its box entered a logit.
    audio: (N, T', F'), zero where the box's clip has no audio; None if no clip of the batch has any.
    logits, logits_without_audio, scores, scores_without_audio: (N,), with the clip's audio and without it.
    """

    visual: Tensor
    audio: Tensor | None
    logits: Tensor
    logits_without_audio: Tensor
    scores: Tensor
    scores_without_audio: Tensor

    def __post_init__(self) -> None:
        assert len(self.visual) == len(self.logits) == len(self.logits_without_audio)


@dataclass(frozen=True)
class ExplainedPerson:
    """One action of one person: its score with and without the clip's audio, and its activation maps.

    box: normalised xyxy. visual_map: (T, h, w) over the whole frame and the clip's time.
    audio_map: (T', F'), the lowest frequency first; None without audio.
    """

    box: tuple[float, float, float, float]
    person_id: int
    action_id: int
    score: float
    score_without_audio: float
    visual_map: NDArray[np.float32]
    audio_map: NDArray[np.float32] | None


@dataclass(frozen=True)
class Explanation:
    """The persons of one keyframe, each with some actions, the most likely first.

    start_s, span_s: of the clip around the keyframe. log_mel: (T, F), normalised; None without audio.
    """

    start_s: float
    span_s: float
    persons: tuple[ExplainedPerson, ...]
    log_mel: NDArray[np.float32] | None


@torch.no_grad()
def activation_maps(model: ActionModel, batch: ClipBatch, classes: Tensor) -> ActivationMaps:
    """The maps of each box of the batch for its class in `classes` (N,). `model`: a detector in evaluation mode."""
    assert not model.training and isinstance(model.head, RoIHead)
    assert classes.shape == batch.box_clip.shape
    assert not isinstance(model.backbone, AudioOnly), "an audio-only model has no visual map"
    features = model.backbone(batch.frames, model.audio_state(batch))
    linear = _last_layer(model.head)
    dims = [pathway.shape[1] for pathway in features.visual]
    *visual_weights, audio_weight = linear.weight[classes].float().split([*dims, model.head.dim_audio], dim=1)
    silent = replace(batch, has_audio=torch.zeros_like(batch.has_audio))
    silent_features = model.backbone(silent.frames, model.audio_state(silent))
    logits, scores = _logits_and_scores(model, features, batch, classes)
    logits_without_audio, scores_without_audio = _logits_and_scores(model, silent_features, silent, classes)
    return ActivationMaps(
        visual=_visual_map(features, visual_weights, batch.box_clip),
        audio=_audio_map(features, len(batch), audio_weight, batch.box_clip),
        logits=logits,
        logits_without_audio=logits_without_audio,
        scores=scores,
        scores_without_audio=scores_without_audio,
    )


def _last_layer(head: RoIHead) -> nn.Linear:
    (linear,) = head.classifier.linear.values()
    assert isinstance(linear, nn.Linear)
    return linear


def _logits_and_scores(
    model: ActionModel, features: Features, batch: ClipBatch, classes: Tensor
) -> tuple[Tensor, Tensor]:
    """(N,) each: of each box for its class."""
    (logits,) = model.head(features, len(batch), batch.boxes_px, batch.box_clip).values()
    (class_loss,) = model.class_losses.values()
    assert isinstance(class_loss, ClassLoss)
    both = logits.float(), class_loss.scores(logits.float())
    one, other = (values.gather(1, classes[:, None]).squeeze(1) for values in both)
    return one, other


def _visual_map(features: Features, weights: list[Tensor], box_clip: Tensor) -> Tensor:
    """The sum over the pathways, each repeated in time to the length of the longest."""
    maps = [
        torch.einsum("ncthw,nc->nthw", pathway[box_clip].float(), weight)
        for pathway, weight in zip(features.visual, weights, strict=True)
    ]
    steps = max(map_.shape[1] for map_ in maps)
    return torch.stack([map_.repeat_interleave(steps // map_.shape[1], dim=1) for map_ in maps]).sum(dim=0)


def _audio_map(features: Features, clips: int, weight: Tensor, box_clip: Tensor) -> Tensor | None:
    audio = features.audio
    if not len(audio) or not audio.pooled:
        return None
    of_all_clips = audio.aligned.new_zeros(clips, *audio.aligned.shape[1:]).index_copy(0, audio.clips, audio.aligned)
    return torch.einsum("nctf,nc->ntf", of_all_clips[box_clip].float(), weight)
