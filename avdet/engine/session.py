"""A training run from its config to its results: build, check, train, evaluate, save, resume."""

from __future__ import annotations

import logging
import math
from contextlib import ExitStack, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from avdet.atomic_write import remove_partial_files
from avdet.checkpoints.checkpoint_io import keep_previous, save_checkpoint
from avdet.config import Config
from avdet.distributed import DistributedContext, average_buffers, reserve_worker_cores
from avdet.engine.build_task import build_task
from avdet.engine.build_trainer import build_trainer
from avdet.engine.interrupt import Interrupted, StopSignal
from avdet.engine.load_checkpoint import load_pretrained, load_training_state
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.optim import freeze
from avdet.engine.precise_bn import update_bn_stats
from avdet.engine.results import write_results
from avdet.engine.resume_check import data_version
from avdet.engine.run_dir import RunDir, claim_run, write_config
from avdet.engine.sanity_check import sanity_check
from avdet.engine.task import EvaluationResult
from avdet.models.action_model import ActionModel
from avdet.models.ops.checkpoint_block import activation_checkpointing
from avdet.models.ops.sync_batch_norm import convert_sync_batchnorm

__all__ = ["TrainingSession", "train"]

logger = logging.getLogger(__name__)
PRECISE_BN_EPOCH = 2**31 - 1  # precise batch norm uses the first clips of this shuffle after any epoch


def train(config: Config, run: RunDir, process: DistributedContext, *, resume: bool) -> EvaluationResult:
    """Trains to the last epoch, and returns its evaluation. Raises Interrupted after a signal to stop."""
    with nullcontext() if resume or not process.is_main else claim_run(run, config.to_yaml()):
        session = TrainingSession(config, run, process)
        if resume:
            session.resume()
        else:
            if process.is_main:
                run.bad_clips.unlink(missing_ok=True)
            sanity_check(session)
    with ExitStack() as stack:
        metrics = None
        if process.is_main:
            at, awaits = session.trainer.iteration, session.awaits_evaluation
            metrics = stack.enter_context(MetricsLog(run.metrics, resume_at=at, awaits_evaluation=awaits))
            write_config(run, config.to_yaml())
        return session.fit(metrics, stack.enter_context(StopSignal()))


class TrainingSession:
    """The data, model and trainer of one run, and its checkpoints."""

    def __init__(self, config: Config, run: RunDir, process: DistributedContext) -> None:
        reserve_worker_cores(config.data.workers)
        torch.manual_seed(config.seed)
        self.config, self.run, self.process = config, run, process
        self.task = build_task(config, process)
        self.loader, self.sampler = self.task.train_data(run.bad_clips)
        self.data_version = data_version(config.dataset(), self.loader.clips, self.sampler)
        self.model = self.task.build_model(self.loader)
        if config.model.weights is not None:
            report = load_pretrained(self.model, config.model.weights, config.model, self.task.class_names)
            logger.info("%s", report)
        freeze(self.model, config.train.freeze)
        if config.train.sync_bn:
            convert_sync_batchnorm(self.model)
        if config.train.activation_checkpointing:
            activation_checkpointing(self.model)
        if config.train.compile:
            self.model.backbone.compile()  # not the head: the number of boxes changes with every batch
        self.trainer = build_trainer(self.model, config.train, run, process)
        torch.manual_seed(config.seed + process.rank)
        self.best_score, self.awaits_evaluation = -math.inf, False

    @property
    def eval_model(self) -> ActionModel:
        """The model to evaluate: the moving average of the weights if there is one."""
        model = self.trainer.eval_model
        assert isinstance(model, ActionModel)
        return model

    @property
    def epoch(self) -> int:
        """Number of completed epochs."""
        return self.trainer.iteration // len(self.sampler)

    def fit(self, metrics: MetricsLog | None, stop: StopSignal) -> EvaluationResult:
        """Trains the remaining epochs; saves after each, and evaluates every `train.eval_every` epochs."""
        result = self.evaluate(metrics) if self.awaits_evaluation else None
        settings = self.config.train
        while self.epoch < settings.epochs:
            try:
                self.trainer.train_epoch(self.loader, self.sampler, metrics, stop)
            except Interrupted:
                self.save()
                raise
            self.awaits_evaluation = self.epoch % settings.eval_every == 0 or self.epoch == settings.epochs
            if self.awaits_evaluation:
                self.update_precise_bn()
            self.save()  # before the evaluation, which may fail at an unreadable video
            if self.awaits_evaluation:
                result = self.evaluate(metrics)
            if self.process.any(stop.received) and self.epoch < settings.epochs:
                raise Interrupted
        return result or self.task.evaluate(self.eval_model)  # the run had ended before

    def update_precise_bn(self) -> None:
        """Recomputes batch norm statistics from `train.precise_bn_clips` training clips, if any."""
        iterations = math.ceil(self.config.train.precise_bn_clips / self.sampler.batch_size)
        if iterations:
            self.sampler.start(PRECISE_BN_EPOCH)
            batches = (batch.to(self.process.device) for batch in islice(self.loader, iterations))
            update_bn_stats(self.eval_model, batches)

    def evaluate(self, metrics: MetricsLog | None) -> EvaluationResult:
        """Evaluates the val split, logs the score, writes the results and best.pt, then last.pt, which commits them."""
        for model in dict.fromkeys((self.model, self.eval_model)):
            average_buffers(model, self.process)
        result = self.task.evaluate(self.eval_model)
        name, score = result.metrics.name, result.metrics.score
        improved = score is not None and score > self.best_score
        if score is not None:
            self.best_score = max(score, self.best_score)
        if metrics is not None:
            logger.info("epoch %d: %s %s", self.epoch, name, "-" if score is None else f"{score:.4f}")
            metrics.write(self.trainer.iteration, {"epoch": self.epoch, name: score})
            write_results(self.run, result, self.config)
        if improved:
            self.write_checkpoint(self.run.best, self.eval_model)
        self.awaits_evaluation = False
        self.save(replaces=True)
        return result

    def save(self, *, replaces: bool = False) -> None:
        """Writes last.pt, from which the run can resume.

        replaces: overwrites this epoch's last.pt instead of keeping it as a previous checkpoint. Collective.
        """
        state = self.trainer.state_dict() | {"best_score": self.best_score, **self.data_version}
        state["awaits_evaluation"] = self.awaits_evaluation
        if self.process.is_main and not replaces:
            keep_previous(self.run.last, self.config.train.keep_checkpoints)
        self.write_checkpoint(self.run.last, self.model, training_state=state)

    def write_checkpoint(self, path: Path, model: ActionModel, training_state: dict[str, Any] | None = None) -> None:
        """Writes a checkpoint file on the main process."""
        if self.process.is_main:
            save_checkpoint(
                path,
                model_state=model.state_dict(),
                config=self.config.model_dump(mode="json"),
                class_names=self.task.class_names,
                training_state=training_state,
            )

    def resume(self) -> None:
        """Restores the state of last.pt. Raises ValueError if model, data or number of processes differ."""
        settings = self.config.model_dump(mode="json")
        state = load_training_state(self.run, self.model, settings, self.task.class_names, self.data_version)
        self.best_score, self.awaits_evaluation = state["best_score"], state.get("awaits_evaluation", False)
        self.trainer.load_state_dict(state)
        if self.process.is_main:
            remove_partial_files(self.run.last.parent)
        logger.info("resumed %s at iteration %d", self.run.path, self.trainer.iteration)
