"""The initial weights, as in the reference code."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from avdet.models.blocks import Residual
from avdet.models.nonlocal_block import CrossAttention

__all__ = ["init_weights"]


def init_weights(model: nn.Module) -> None:
    """Initialises convolutions by He (fan-out) and linear layers by N(0, 0.01); norms keep torch's 1 and 0.

    The last norm of every residual and non-local branch starts at 0, so that a new block is the identity.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
    for module in model.modules():
        if isinstance(module, CrossAttention):
            for linear in (module.query, module.key, module.value, module.out):
                nn.init.kaiming_normal_(linear.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.norm.weight)
        elif isinstance(module, Residual):
            last = module.branch.c.norm
            assert isinstance(last, _BatchNorm)
            nn.init.zeros_(last.weight)
