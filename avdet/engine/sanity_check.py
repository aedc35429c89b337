"""Sanity check before epoch 1: runs every part of training once, so that errors occur now and not hours later."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import islice
from typing import TYPE_CHECKING

import torch

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.engine.optim import set_training_mode
from avdet.engine.precise_bn import update_bn_stats

if TYPE_CHECKING:
    from avdet.engine.session import TrainingSession

__all__ = ["sanity_check"]

logger = logging.getLogger(__name__)
STEPS = 2


def sanity_check(session: TrainingSession) -> None:
    """Trains two steps, computes precise batch norm, evaluates two batches, and writes and reads a checkpoint.

    Afterwards the session is as before, bit for bit. Errors are raised as they would be during the run.
    """
    start = time.perf_counter()
    with _restored_afterwards(session):
        session.sampler.start(0)
        set_training_mode(session.model)
        session.trainer.set_lr(0.0)
        for batch in islice(session.loader, STEPS):
            step_start = time.perf_counter()
            losses = session.trainer.train_step(batch.to(session.process.device))
            step_s = time.perf_counter() - step_start
        if session.config.train.precise_bn_clips:
            update_bn_stats(session.eval_model, [batch.to(session.process.device)])
        result = session.task.evaluate(session.eval_model, batches=STEPS)
        _write_and_read_checkpoint(session)
    logger.info(
        "sanity check passed in %.1f s: training step of %d clips (%.2f s; %s), evaluation (%s), checkpoint",
        time.perf_counter() - start, session.sampler.batch_size, step_s,
        ", ".join(f"{name} {float(loss):.3f}" for name, loss in losses.items()), result.metrics.name,
    )  # fmt: skip


@contextmanager
def _restored_afterwards(session: TrainingSession) -> Iterator[None]:
    """Restores weights, batch norm statistics, optimizer, moving average and random state."""
    weights = {name: value.clone() for name, value in session.model.state_dict().items()}
    state = deepcopy(session.trainer.state_dict())
    try:
        yield
    finally:
        session.model.load_state_dict(weights)
        session.trainer.load_state_dict(state)


def _write_and_read_checkpoint(session: TrainingSession) -> None:
    path = session.run.last.with_name("sanity_check.pt")
    try:
        session.write_checkpoint(path, session.model, training_state=session.trainer.state_dict())
        if session.process.is_main:
            saved = load_checkpoint(path).model_state
            assert all(torch.equal(value.cpu(), saved[name]) for name, value in session.model.state_dict().items())
    finally:
        if session.process.is_main:
            path.unlink(missing_ok=True)
