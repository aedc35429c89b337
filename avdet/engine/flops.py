"""What a test protocol costs, said before it runs."""

from __future__ import annotations

import copy

import torch
from torch.utils.flop_counter import FlopCounterMode

from avdet.models.action_model import ActionModel
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.structures import ClipBatch

__all__ = ["giga_multiply_adds"]


@torch.no_grad()
def giga_multiply_adds(model: ActionModel, batch: ClipBatch) -> float:
    """Of one view of the batch, all of which are heard where one has sound; of their shapes, nothing is computed.

    What a device computes besides, or in one kernel with something else, changes nothing.
    """
    shapes = copy.deepcopy(model).to("meta").eval()
    sound = no_audio(torch.device("meta"))
    if model.drop_pathway is not None and batch.audio is not None:
        sound = AudioState(batch.audio.to("meta"), torch.arange(len(batch), device="meta"))
    with FlopCounterMode(display=False) as counter:
        shapes.head(shapes.backbone(batch.frames.to("meta"), sound), len(batch))
    return float(counter.get_total_flops()) / 2 / 1e9 / len(batch)
