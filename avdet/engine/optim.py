"""The optimiser of the recipes: SGD, with batch norm's own weight decay."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import SGD

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
    return SGD(groups, lr=0.0, momentum=momentum, nesterov=nesterov and momentum > 0)
