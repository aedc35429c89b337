"""Activation checkpointing (Chen et al. 2016): residual blocks compute their activations again in the backward pass.

Where: training, all devices and dtypes, with `train.activation_checkpointing`. Gain: memory; the test requires at
least 30 % fewer kept values.
Test: tests/models/ops/test_checkpoint_block.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

__all__ = ["Checkpointable", "activation_checkpointing", "checkpoint_block"]


class Checkpointable:
    """A block that calls `checkpoint_block`; `activation_checkpointing` switches it on."""

    checkpoints_activations = False


def activation_checkpointing(model: nn.Module) -> None:
    """Every residual block of `model` keeps its input alone in training and is computed twice."""
    for module in model.modules():
        if isinstance(module, Checkpointable):
            module.checkpoints_activations = True


def checkpoint_block(block: nn.Module, compute: Callable[..., Tensor], x: Tensor, *steps: int) -> Tensor:
    """compute(x, *steps), where `block` checkpoints without keeping its activations.

    The second run leaves the running statistics of the block's batch norms as the first one set them.
    """
    checkpoints = isinstance(block, Checkpointable) and block.checkpoints_activations
    if not (checkpoints and block.training and torch.is_grad_enabled()):
        return compute(x, *steps)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _keep_statistics(block)

    y: Tensor = checkpoint(compute, x, *steps, use_reentrant=False, context_fn=contexts)
    return y


@contextmanager
def _keep_statistics(block: nn.Module) -> Iterator[None]:
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    before = [
        (norm.momentum, norm.num_batches_tracked.clone()) for norm in norms if norm.num_batches_tracked is not None
    ]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum = momentum
            assert norm.num_batches_tracked is not None
            norm.num_batches_tracked.copy_(count)
