"""Parts of a model that a recipe leaves as they are."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["freeze", "set_training_mode", "trains"]


def freeze(model: nn.Module, parts: Collection[str]) -> None:
    """ "norms": every batch norm; "conv1", "res2", .. "res5": those stages of all pathways; "trunk": all but the head.

    A frozen batch norm also keeps its statistics. Raises ValueError for norms that are frozen before they learned: the
    last one of a residual branch begins at zero, and would hold what is before it there for good.
    """
    norms = {f"{name}." for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    for name, parameter in model.named_parameters():
        layer = f"{name.rpartition('.')[0]}."
        is_norm = "norms" in parts and layer in norms
        is_trunk = "trunk" in parts and not name.startswith("head.")
        if is_norm or is_trunk or _stage_of(name) in parts:
            parameter.requires_grad_(False)
    if "norms" in parts and "trunk" not in parts:
        _refuse_zero(model)


def _refuse_zero(model: nn.Module) -> None:
    zero = [
        name for name, module in model.named_modules() if isinstance(module, _BatchNorm) and not module.weight.any()
    ]
    if zero:
        raise ValueError(
            f"train.freeze freezes batch norms, and {len(zero)} of them have learned nothing and are zero, such as "
            f"{zero[0]}; give model.weights that have them, or train.freeze=[]"
        )


def _stage_of(name: str) -> str:
    """res4 of backbone.slow.res4.block0.branch.a.conv.weight; where pathways meet belongs to no stage."""
    parts = name.split(".")
    return parts[2] if parts[0] == "backbone" and parts[1] in {"slow", "fast", "audio"} else ""


def set_training_mode(model: nn.Module) -> None:
    """`model.train()`, except that frozen batch norms go on with the statistics that they have."""
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and not trains(module):
            module.eval()


def trains(norm: _BatchNorm) -> bool:
    return norm.weight.requires_grad
