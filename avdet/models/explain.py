"""Where a detector looks and listens: class activation maps (Zhou et al., arXiv 1512.04150) of boxes.

The last layer is linear and the features before it are pooled, so that it can be applied to every place of them: a map
over time and space, and one over time and frequency, of what each place says for a class. The mean of the sound's map
is what the pooled sound adds to the logit. What reaches the pictures through lateral connections counts as seen; all
that sound does is the difference to the logit of the same clip in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdet.models.action_model import ActionModel
from avdet.models.avslowfast import AudioOnly, Features
from avdet.models.roi_head import RoIHead
from avdet.structures import ClipBatch

__all__ = ["ActivationMaps", "ExplainedPerson", "Explanation", "activation_maps"]


@dataclass(frozen=True)
class ActivationMaps:
    """Of each box n for its class: logits, and those of the same clip without its sound.

    pictures: (N, T, h, w), T as many as the Fast pathway has; the box's own cells are the ones that were read.
    sound: (N, T', F'), zero where the box's clip is not heard; None in a batch without sound.
    """

    pictures: Tensor
    sound: Tensor | None
    logits: Tensor
    logits_without_audio: Tensor

    def __post_init__(self) -> None:
        assert len(self.pictures) == len(self.logits) == len(self.logits_without_audio)


@dataclass(frozen=True)
class ExplainedPerson:
    """box: normalised xyxy. action_id: what is explained. logit: of it; deaf_logit: the same without sound.

    heat: (T, h, w) over the whole picture and the clip's time. sound: (T', F'), the lowest notes first, or None.
    """

    box: tuple[float, float, float, float]
    person_id: int
    action_id: int
    logit: float
    deaf_logit: float
    heat: NDArray[np.float32]
    sound: NDArray[np.float32] | None


@dataclass(frozen=True)
class Explanation:
    """The people of one keyframe, each with some actions, the likeliest first; its clip begins at start_s.

    log_mel: (T, F) normalised, or None without sound.
    """

    start_s: float
    span_s: float
    people: tuple[ExplainedPerson, ...]
    log_mel: NDArray[np.float32] | None


@torch.no_grad()
def activation_maps(model: ActionModel, batch: ClipBatch, classes: Tensor) -> ActivationMaps:
    """`classes` (N,): for which class each box of the batch is asked. The model is a detector in evaluation mode."""
    assert not model.training and isinstance(model.head, RoIHead)
    assert classes.shape == batch.box_clip.shape
    assert not isinstance(model.backbone, AudioOnly), "only models that see can be asked where they look"
    features = model.backbone(batch.frames, model.hear(batch))
    linear = _last_layer(model.head)
    widths = [pathway.shape[1] for pathway in features.pictures]
    *weights, heard = linear.weight[classes].float().split([*widths, model.head.dim_audio], dim=1)
    deaf = replace(batch, has_audio=torch.zeros_like(batch.has_audio))
    return ActivationMaps(
        pictures=_picture_map(features, weights, batch.box_clip),
        sound=_sound_map(features, len(batch), heard, batch.box_clip),
        logits=_logits(model.head, features, batch, classes),
        logits_without_audio=_logits(model.head, model.backbone(deaf.frames, model.hear(deaf)), deaf, classes),
    )


def _last_layer(head: RoIHead) -> nn.Linear:
    (linear,) = head.classifier.linear.values()
    assert isinstance(linear, nn.Linear)
    return linear


def _logits(head: RoIHead, features: Features, batch: ClipBatch, classes: Tensor) -> Tensor:
    (logits,) = head(features, len(batch), batch.boxes_px, batch.box_clip).values()
    return logits.float().gather(1, classes[:, None]).squeeze(1)


def _picture_map(features: Features, weights: list[Tensor], box_clip: Tensor) -> Tensor:
    """The pathways' sum, each stretched over time to the longest one."""
    maps = [
        torch.einsum("ncthw,nc->nthw", pathway[box_clip].float(), weight)
        for pathway, weight in zip(features.pictures, weights, strict=True)
    ]
    steps = max(one.shape[1] for one in maps)
    return torch.stack([one.repeat_interleave(steps // one.shape[1], dim=1) for one in maps]).sum(dim=0)


def _sound_map(features: Features, clips: int, weight: Tensor, box_clip: Tensor) -> Tensor | None:
    heard = features.sound
    if not len(heard) or not heard.pooled:
        return None
    everyone = heard.aligned.new_zeros(clips, *heard.aligned.shape[1:]).index_copy(0, heard.clips, heard.aligned)
    return torch.einsum("nctf,nc->ntf", everyone[box_clip].float(), weight)
