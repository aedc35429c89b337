"""Everything that one run holds, built from its recipe; what it saves and what it goes on from."""

from __future__ import annotations

import logging
import math
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from avdet.checkpoints.checkpoint_io import (
    keep_previous,
    load_checkpoint,
    load_newest,
    remove_unfinished,
    save_checkpoint,
)
from avdet.distributed import DistributedContext
from avdet.engine.distributed import average_buffers, reserve_worker_cores
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.freeze import freeze
from avdet.engine.learner import Learner
from avdet.engine.load_pretrained import load_pretrained
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.optim import build_sgd
from avdet.engine.precise_bn import set_precise_statistics
from avdet.engine.results import write_results
from avdet.engine.run_dir import RunDir
from avdet.engine.schedule import Schedule
from avdet.engine.tasks import build_task
from avdet.engine.trainer import Trainer
from avdet.models.action_model import ActionModel
from avdet.models.build import activation_checkpointing, convert_sync_batchnorm
from avdet.settings import Config, TrainConfig

__all__ = ["TrainingSession"]

logger = logging.getLogger(__name__)
PRECISE_EPOCH = 2**31 - 1  # the shuffle whose first clips set the batch norms, whichever epoch they are set after


class TrainingSession:
    """Data, model and trainer of one run; `train` is its story."""

    def __init__(self, config: Config, run: RunDir, process: DistributedContext) -> None:
        reserve_worker_cores(config.data.workers)
        torch.manual_seed(config.seed)
        self.config, self.run, self.process = config, run, process
        self.task = build_task(config, process)
        self.loader, self.sampler = self.task.train_data(run.bad_clips)
        self.model = self.task.build_model(self.loader)
        if config.model.weights is not None:
            checkpoint = load_checkpoint(config.model.weights)
            logger.info("%s", load_pretrained(self.model, checkpoint, self.task.class_names))
        freeze(self.model, config.train.freeze)
        if config.train.sync_bn:
            convert_sync_batchnorm(self.model)
        if config.train.activation_checkpointing:
            activation_checkpointing(self.model)
        if config.train.compile:
            self.model.backbone.compile()  # the head sees another number of people in every batch
        self.trainer = build_trainer(self.model, config.train, run, process)
        torch.manual_seed(config.seed + process.rank)
        self.best = -math.inf

    def resume(self) -> None:
        checkpoint = load_newest(self.run.last)
        state = checkpoint.training_state
        if state is None:
            raise ValueError(
                f"{self.run.last} holds weights alone, as best.pt does; a run goes on from its own last.pt"
            )
        if not {"buffers", "iterations_an_epoch"} <= state.keys():
            raise ValueError(
                f"{self.run.path} was begun by an older avdet; finish it with that one, or start a new run with "
                "model.weights"
            )
        shapes = {name: tensor.shape for name, tensor in self.model.state_dict().items()}
        if shapes != {name: tensor.shape for name, tensor in checkpoint.model_state.items()}:
            raise ValueError(
                f"{self.run.path} was trained with another model or other classes; resume without changing these, or "
                "start a new run with model.weights"
            )
        if state["iterations_an_epoch"] != len(self.sampler):
            raise ValueError(
                f"{self.run.path} had {state['iterations_an_epoch']} iterations an epoch and would have "
                f"{len(self.sampler)}; resume with the same data and train.batch_size, or start a new run"
            )
        self.model.load_state_dict(checkpoint.model_state)
        self.best = state["best"]
        self.trainer.restore(state)
        if self.process.is_main:
            remove_unfinished(self.run.last.parent)
        logger.info("resumed %s at iteration %d", self.run.path, self.trainer.iteration)

    def save(self, *, best: bool = False, again: bool = False) -> None:
        """last.pt, from which a run goes on; with `best` also best.pt, which holds the weights alone.

        again: in the place of what this epoch saved before.
        """
        state = {**self.trainer.state(), "best": self.best, "iterations_an_epoch": len(self.sampler)}  # all give a part
        if self.process.is_main and not again:
            keep_previous(self.run.last, self.config.train.keep_checkpoints)
        self.write_checkpoint(self.run.last, self.model, training_state=state)
        if best:
            self.write_checkpoint(self.run.best, self.evaluated)

    def write_checkpoint(self, path: Path, model: ActionModel, training_state: dict[str, Any] | None = None) -> None:
        """By the main process."""
        if self.process.is_main:
            save_checkpoint(
                path,
                model_state=model.state_dict(),
                config=self.config.model_dump(mode="json"),
                class_names=self.task.class_names,
                training_state=training_state,
            )

    def evaluate(self, metrics: MetricsLog | None) -> EvaluationResult:
        """Scores the val split, notes it down and saves the run again."""
        for model in dict.fromkeys((self.model, self.evaluated)):
            average_buffers(model, self.process)
        outcome = self.task.evaluate(self.evaluated)
        improved = outcome.score is not None and outcome.score > self.best
        if outcome.score is not None:
            self.best = max(outcome.score, self.best)
        if metrics is not None:
            shown = "-" if outcome.score is None else f"{outcome.score:.4f}"
            logger.info("epoch %d: %s %s", self.epoch, outcome.name, shown)
            metrics.write(self.trainer.iteration, {"epoch": self.epoch, outcome.name: outcome.score})
            write_results(self.run, outcome, self.config)
        self.save(best=improved, again=True)
        return outcome

    @property
    def evaluated(self) -> ActionModel:
        evaluated = self.trainer.learner.evaluated
        assert isinstance(evaluated, ActionModel)
        return evaluated

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self.trainer.iteration // len(self.sampler)

    def set_precise_bn(self) -> None:
        iterations = math.ceil(self.config.train.precise_bn_clips / self.sampler.batch_size)
        if iterations:
            self.sampler.start(PRECISE_EPOCH)
            batches = (batch.to(self.process.device) for batch in islice(self.loader, iterations))
            set_precise_statistics(self.evaluated, batches)


def build_trainer(model: torch.nn.Module, plan: TrainConfig, run: RunDir, process: DistributedContext) -> Trainer:
    rate = plan.lr * plan.batch_size / plan.base_batch_size
    logger.info("learning rate %g: %g for %d clips, %d run", rate, plan.lr, plan.base_batch_size, plan.batch_size)
    late = " and ".join(f"{epoch:g}" for epoch in plan.milestones if epoch >= plan.epochs)
    if late:
        logger.warning(
            "training ends after %d epochs; the rate does not fall at %s (train.milestones)", plan.epochs, late
        )
    warmup_rate = plan.warmup_lr * plan.batch_size / plan.base_batch_size
    schedule = Schedule(rate, plan.epochs, plan.warmup_epochs, warmup_rate, plan.milestones)
    optimizer = build_sgd(
        model,
        momentum=plan.momentum,
        nesterov=plan.nesterov,
        weight_decay=plan.weight_decay,
        bn_weight_decay=plan.bn_weight_decay,
    )
    learner = Learner(
        model,
        optimizer,
        process,
        grad_clip_norm=plan.grad_clip_norm,
        amp=plan.amp,
        accumulate=plan.accumulation_steps,
        ema=plan.ema,
        max_nonfinite_steps=plan.max_nonfinite_steps,
        reports=run.path,
    )
    return Trainer(learner, schedule, process, log_every=plan.log_every)
