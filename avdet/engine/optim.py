"""The optimiser of the recipes: SGD, with batch norm's own weight decay."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import SGD, Optimizer

__all__ = ["build_sgd"]


def build_sgd(model: nn.Module, *, momentum: float, nesterov: bool, weight_decay: float, bn_weight_decay: float) -> SGD:
    """The learning rate is set before every step by the schedule."""
    norms = [p for module in model.modules() if isinstance(module, _BatchNorm) for p in module.parameters()]
    ids = {id(p) for p in norms}
    others = [p for p in model.parameters() if id(p) not in ids]
    groups = [
        {"params": others, "weight_decay": weight_decay},
        {"params": norms, "weight_decay": bn_weight_decay},
    ]
    # Fused reads and writes the memory once (docs/performance.md).
    optimizer = SGD(groups, lr=0.0, momentum=momentum, nesterov=nesterov and momentum > 0, fused=True)
    if momentum > 0:
        optimizer.register_step_pre_hook(_ready_momentum)
    return optimizer


def _ready_momentum(optimizer: Optimizer, *_: object) -> None:
    """Fused steps want momentum for all or none, and read it in the parameter's order of memory without a look.

    Sound that was dropped learns later than the rest; a checkpoint may be of a version with another order.
    """
    for p in (p for group in optimizer.param_groups for p in group["params"] if p.grad is not None):
        momentum = optimizer.state[p].get("momentum_buffer")
        if momentum is None:
            optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
        elif momentum.stride() != p.stride():
            optimizer.state[p]["momentum_buffer"] = torch.empty_like(p).copy_(momentum)
