"""What a test protocol costs, said before it runs."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from avdet.models.action_model import ActionModel
from avdet.structures import ClipBatch

__all__ = ["giga_multiply_adds"]


@torch.no_grad()
def giga_multiply_adds(model: ActionModel, batch: ClipBatch) -> float:
    """Of one view of the batch, counted while all of them are predicted."""
    model.eval()
    with FlopCounterMode(display=False) as counter:
        model.predict_sets(batch)
    return float(counter.get_total_flops()) / 2 / 1e9 / len(batch)
