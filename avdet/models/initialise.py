"""The weights that training starts from."""

from __future__ import annotations

from torch import nn

from avdet.models.blocks import Norm, Residual
from avdet.models.nonlocal_block import CrossAttention


def initialise(model: nn.Module) -> None:
    """As the reference does it: convolutions He (fan-out), norms 1 and 0, linear layers N(0, 0.01), and 0 for the last
    norm of whatever is added to a shortcut, so that a new block changes nothing."""
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
            assert isinstance(last, Norm)
            nn.init.zeros_(last.weight)
