"""Precise batch norm: statistics averaged over many training batches instead of a running average of the last ones."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from avdet.engine.optim import is_trainable, set_training_mode
from avdet.structures import ClipBatch

__all__ = ["update_bn_stats"]


@torch.no_grad()
def update_bn_stats(model: nn.Module, batches: Iterable[ClipBatch]) -> None:
    """Sets the running statistics to the mean over the forward passes of `batches`.

    Frozen norms, and norms that no batch reaches, keep theirs.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and is_trainable(module)]
    saved = [(norm.momentum, _batches_tracked(norm).clone()) for norm in norms]
    was_training = model.training
    set_training_mode(model)
    for norm in norms:
        norm.momentum = None  # with a count of 0, the plain mean over the batches that follow
        _batches_tracked(norm).zero_()
    for batch in batches:
        model(batch)
    for norm, (momentum, count) in zip(norms, saved, strict=True):
        norm.momentum = momentum
        _batches_tracked(norm).add_(count)
    if was_training:
        set_training_mode(model)
    else:
        model.eval()


def _batches_tracked(norm: _BatchNorm) -> Tensor:
    assert norm.num_batches_tracked is not None
    return norm.num_batches_tracked
