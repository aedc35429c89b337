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
from avdet.data.collate import collate
from avdet.data.sampler import SampleSpec
from avdet.engine.optim import set_training_mode
from avdet.engine.precise_bn import update_bn_stats
from avdet.structures import Clip

if TYPE_CHECKING:
    from avdet.engine.session import TrainingSession

__all__ = ["sanity_check"]

logger = logging.getLogger(__name__)
STEPS = 2
BACKWARD = 3  # a training step takes about three forward passes
LONG_S = 30.0  # an estimate below is not worth a line


def sanity_check(session: TrainingSession) -> None:
    """Trains two steps, computes precise batch norm, evaluates two batches, and writes and reads a checkpoint.

    Afterwards the session is as before, bit for bit. Errors are raised as they would be during the run.
    """
    start = time.perf_counter()
    logger.info(
        "sanity check: %d training steps of %d clips, an evaluation of %d batches, a checkpoint",
        STEPS, session.sampler.batch_size, STEPS,
    )  # fmt: skip
    with _restored_afterwards(session):
        if session.process.device.type == "cpu":
            _log_duration(session)
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


def _log_duration(session: TrainingSession) -> None:
    """Measures one clip, so that a model too large for the CPU is known before its first step ends."""
    start = time.perf_counter()
    clip = session.loader.dataset[SampleSpec(0, seed=0)]
    if not isinstance(clip, Clip):  # an unreadable file, which the first step reports
        return
    session.model.eval()
    loaded = time.perf_counter()
    session.model.predict_sets(collate([clip]).to(next(session.model.parameters()).device))
    forward_s = time.perf_counter() - loaded
    train, test = session.config.train.batch_size, session.config.test.batch_size
    clip_s = BACKWARD * forward_s + (loaded - start) / max(session.loader.num_workers, 1)
    estimate_s = STEPS * (train * clip_s + test * forward_s)
    if estimate_s > LONG_S:
        logger.info(
            "a clip takes %.1f s on this CPU, so the sanity check takes about %d min and an epoch about %s; for a "
            "small test add --sample, or lower train.batch_size and the model's size",
            clip_s, max(estimate_s // 60, 1), _duration(len(session.sampler) * train * clip_s),
        )  # fmt: skip


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{max(round(seconds / 60), 1)} min"


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
