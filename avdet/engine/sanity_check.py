"""The whole cycle once, in small, before the first epoch: what would fail after hours fails now."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import islice

import torch

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.engine.freeze import set_training_mode
from avdet.engine.precise_bn import set_precise_statistics
from avdet.engine.session import TrainingSession

__all__ = ["sanity_check"]

logger = logging.getLogger(__name__)
STEPS = 2


def sanity_check(job: TrainingSession) -> None:
    """Two steps, precise statistics, two batches of evaluation and their score, a checkpoint written and read back.

    The run is afterwards as it was before, bit for bit. Whatever is wrong is raised as it would be in the run.
    """
    began = time.perf_counter()
    with _as_before(job):
        job.sampler.start(0)
        set_training_mode(job.model)
        job.trainer.set_rate(0.0)
        steps_s = []
        for batch in islice(job.loader, STEPS):
            step_began = time.perf_counter()
            losses = job.trainer.learner.step(batch.to(job.process.device))
            steps_s.append(time.perf_counter() - step_began)
        if job.config.train.precise_bn_clips:
            set_precise_statistics(job.evaluated, [batch.to(job.process.device)])
        outcome = job.task.evaluate(job.evaluated, batches=STEPS)
        _save_and_load(job)
    shown = ", ".join(f"{name} {float(loss):.3f}" for name, loss in losses.items())
    logger.info(
        "rehearsed in %.1f s: a step of %d clips takes %.2f s (%s), evaluation gives a %s, a checkpoint reads back",
        time.perf_counter() - began, job.sampler.batch_size, steps_s[-1], shown, outcome.name,
    )  # fmt: skip


@contextmanager
def _as_before(job: TrainingSession) -> Iterator[None]:
    """Weights, statistics, optimiser, averages and random numbers are put back."""
    state = {name: value.clone() for name, value in job.model.state_dict().items()}
    training = deepcopy(job.trainer.state())
    try:
        yield
    finally:
        job.model.load_state_dict(state)
        job.trainer.restore(training)


def _save_and_load(job: TrainingSession) -> None:
    path = job.run.last.with_name("rehearsal.pt")
    try:
        job.write_checkpoint(path, job.model, training_state=job.trainer.state())
        if job.process.is_main:
            read = load_checkpoint(path).model_state
            assert all(torch.equal(value.cpu(), read[name]) for name, value in job.model.state_dict().items())
    finally:
        if job.process.is_main:
            path.unlink(missing_ok=True)
