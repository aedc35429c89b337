"""The optimizer, its learning rate by epoch, and which parameters are frozen."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import SGD, Optimizer

from avdet.train_settings import TrainConfig

__all__ = ["LRSchedule", "build_schedule", "build_sgd", "freeze", "is_trainable", "set_training_mode"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LRSchedule:
    """Learning rate by epoch: a linear warm-up, then a half cosine to 0, or division by ten at each milestone.

    The warm-up rises from `warmup_lr` to the value that the schedule has at `warmup_epochs`.

    >>> LRSchedule(base_lr=0.1, epochs=10, milestones=(5,)).at(6)
    0.01
    """

    base_lr: float
    epochs: float
    warmup_epochs: float = 0.0
    warmup_lr: float = 0.0
    milestones: tuple[float, ...] = ()

    def at(self, epoch: float) -> float:
        """The learning rate at an epoch, which may be fractional."""
        if epoch < self.warmup_epochs:
            target = self._after_warmup(self.warmup_epochs)
            return self.warmup_lr + (target - self.warmup_lr) * epoch / self.warmup_epochs
        return self._after_warmup(epoch)

    def _after_warmup(self, epoch: float) -> float:
        if self.milestones:
            return self.base_lr / 10 ** sum(epoch >= milestone for milestone in self.milestones)
        return self.base_lr * 0.5 * (1 + math.cos(math.pi * epoch / self.epochs))


def build_schedule(settings: TrainConfig) -> LRSchedule:
    """The schedule of section train; learning rates scale linearly with the batch size."""
    lr = settings.lr * settings.batch_size / settings.base_batch_size
    warmup_lr = settings.warmup_lr * settings.batch_size / settings.base_batch_size
    logger.info(
        "learning rate %g (base %g for %d clips, batch size %d)",
        lr, settings.lr, settings.base_batch_size, settings.batch_size,
    )  # fmt: skip
    unreached = " and ".join(f"{epoch:g}" for epoch in settings.milestones if epoch >= settings.epochs)
    if unreached:
        logger.warning(
            "training ends after %d epochs, so the learning rate does not drop at %s (train.milestones)",
            settings.epochs, unreached,
        )  # fmt: skip
    return LRSchedule(lr, settings.epochs, settings.warmup_epochs, warmup_lr, settings.milestones)


def build_sgd(model: nn.Module, *, momentum: float, nesterov: bool, weight_decay: float, bn_weight_decay: float) -> SGD:
    """SGD with a weight decay of its own for batch norm. The trainer sets the learning rate before every step."""
    norm_params = [p for module in model.modules() if isinstance(module, _BatchNorm) for p in module.parameters()]
    norm_ids = {id(p) for p in norm_params}
    other_params = [p for p in model.parameters() if id(p) not in norm_ids]
    groups = [
        {"params": other_params, "weight_decay": weight_decay},
        {"params": norm_params, "weight_decay": bn_weight_decay},
    ]
    # The fused kernel reads and writes memory once (docs/measurements/performance.md).
    optimizer = SGD(groups, lr=0.0, momentum=momentum, nesterov=nesterov and momentum > 0, fused=True)
    if momentum > 0:
        optimizer.register_step_pre_hook(_prepare_momentum)
    return optimizer


def _prepare_momentum(optimizer: Optimizer, *_: object) -> None:
    """Gives every momentum buffer the memory format of its parameter, which fused SGD assumes without a check.

    It also needs a buffer for each gradient or for none. Parameters of the Audio pathway that DropPathway dropped get
    their first gradient later than the others, and a checkpoint's buffers may have another memory format.
    """
    for p in (p for group in optimizer.param_groups for p in group["params"] if p.grad is not None):
        momentum = optimizer.state[p].get("momentum_buffer")
        if momentum is None:
            optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
        elif momentum.stride() != p.stride():
            optimizer.state[p]["momentum_buffer"] = torch.empty_like(p).copy_(momentum)


def freeze(model: nn.Module, parts: Collection[str]) -> None:
    """Excludes parts of the model from training. A frozen batch norm also keeps its running statistics.

    parts: "norms" (every batch norm), "conv1", "res2" to "res5" (that stage of all pathways), "trunk" (all but the
    head).
    Raises ValueError for norms with zero weights: the last norm of a residual branch is initialised to zero, and
    frozen so it would disable the branch for good.
    """
    norms = {f"{name}." for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    for name, parameter in model.named_parameters():
        layer = f"{name.rpartition('.')[0]}."
        is_norm = "norms" in parts and layer in norms
        is_trunk = "trunk" in parts and not name.startswith("head.")
        if is_norm or is_trunk or _stage_of(name) in parts:
            parameter.requires_grad_(False)
    if "norms" in parts and "trunk" not in parts:
        _refuse_zero_norms(model)


def _refuse_zero_norms(model: nn.Module) -> None:
    zero = [
        name for name, module in model.named_modules() if isinstance(module, _BatchNorm) and not module.weight.any()
    ]
    if zero:
        raise ValueError(
            f"train.freeze includes norms, but the weights of {len(zero)} batch norms are zero because they are "
            f"untrained, such as {zero[0]}; set model.weights to a trained checkpoint or remove norms from train.freeze"
        )


def _stage_of(name: str) -> str:
    """res4 for backbone.slow.res4.block0.branch.a.conv.weight; fusion and head belong to no stage."""
    parts = name.split(".")
    return parts[2] if parts[0] == "backbone" and parts[1] in {"slow", "fast", "audio"} else ""


def set_training_mode(model: nn.Module) -> None:
    """Calls `model.train()`, but leaves frozen batch norms in evaluation mode."""
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and not is_trainable(module):
            module.eval()


def is_trainable(norm: _BatchNorm) -> bool:
    """Whether a batch norm is not frozen."""
    return norm.weight.requires_grad
