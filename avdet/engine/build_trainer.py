"""Builds a Trainer from the settings of section train."""

from __future__ import annotations

from avdet.distributed import DistributedContext
from avdet.engine.optim import build_schedule, build_sgd
from avdet.engine.run_dir import RunDir
from avdet.engine.trainer import Trainer
from avdet.models.action_model import ActionModel
from avdet.train_settings import TrainConfig

__all__ = ["build_trainer"]


def build_trainer(model: ActionModel, settings: TrainConfig, run: RunDir, process: DistributedContext) -> Trainer:
    """A Trainer with SGD and the schedule of the settings; each process builds its own."""
    optimizer = build_sgd(
        model,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        bn_weight_decay=settings.bn_weight_decay,
    )
    return Trainer(
        model,
        optimizer,
        build_schedule(settings),
        process,
        report_dir=run.path,
        log_every=settings.log_every,
        grad_clip_norm=settings.grad_clip_norm,
        amp=settings.amp,
        accumulation_steps=settings.accumulation_steps,
        ema_decay=settings.ema,
        max_nonfinite_steps=settings.max_nonfinite_steps,
    )
