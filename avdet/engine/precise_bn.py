"""Batch norm statistics as the average over many training batches, not the running tail of the last ones."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from avdet.engine.freeze import set_training_mode, trains
from avdet.structures import ClipBatch

__all__ = ["set_precise_statistics"]


@torch.no_grad()
def set_precise_statistics(model: nn.Module, batches: Iterable[ClipBatch]) -> None:
    """Runs the batches forward without learning; frozen norms and those that no batch reaches keep theirs."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and trains(module)]
    before = [(norm.momentum, _count(norm).clone()) for norm in norms]
    was_training = model.training
    set_training_mode(model)
    for norm in norms:
        norm.momentum = None  # a plain average over the batches since the count was 0
        _count(norm).zero_()
    for batch in batches:
        model(batch)
    for norm, (momentum, count) in zip(norms, before, strict=True):
        norm.momentum = momentum
        _count(norm).add_(count)
    (set_training_mode(model) if was_training else model.eval())


def _count(norm: _BatchNorm) -> Tensor:
    assert norm.num_batches_tracked is not None
    return norm.num_batches_tracked
