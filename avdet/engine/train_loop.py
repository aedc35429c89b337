"""A whole run: build, train, evaluate now and then, save, and write down what came out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from avdet.distributed import DistributedContext
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.interrupt import Interrupted, StopSignal
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.run_dir import RunDir
from avdet.engine.sanity_check import sanity_check
from avdet.engine.session import TrainingSession
from avdet.settings import Config

__all__ = ["dry_run", "train"]


def train(config: Config, run: RunDir, process: DistributedContext, *, resume: bool) -> EvaluationResult:
    """Trains to the config's last epoch and gives that epoch's result. Raises Interrupted after a signal to stop."""
    with _claimed(run, config, process, resume=resume):
        job = TrainingSession(config, run, process)
        if resume:
            job.resume()
        else:
            if process.is_main:
                run.bad_clips.unlink(missing_ok=True)
            sanity_check(job)
    with ExitStack() as stack:
        metrics = None
        if process.is_main:
            metrics = stack.enter_context(MetricsLog(run.metrics, resume_at=job.trainer.iteration))
            run.config.write_text(config.to_yaml(), encoding="utf-8")
        return run_epochs(job, metrics, stack.enter_context(StopSignal()))


@contextmanager
def _claimed(run: RunDir, config: Config, process: DistributedContext, *, resume: bool) -> Iterator[None]:
    """A new run's config.yaml stands from the start, so that torchrun restarts this run and no older one of its name.

    It goes again where the run cannot begin.
    """
    if resume or not process.is_main:
        yield
        return
    run.path.mkdir(parents=True, exist_ok=True)
    run.config.write_text(config.to_yaml(), encoding="utf-8")
    try:
        yield
    except BaseException:
        run.config.unlink(missing_ok=True)
        with suppress(OSError):  # something else lies in it
            run.path.rmdir()
        raise


def dry_run(config: Config, run: RunDir, process: DistributedContext) -> None:
    """What precedes a run's first epoch, and no more."""
    sanity_check(TrainingSession(config, run, process))


def run_epochs(job: TrainingSession, metrics: MetricsLog | None, stop: StopSignal) -> EvaluationResult:
    """What remains of the plan, with an evaluation now and then and a checkpoint after each epoch."""
    result = None
    plan = job.config.train
    while job.epoch < plan.epochs:
        try:
            job.trainer.run_epoch(job.loader, job.sampler, metrics, stop)
        except Interrupted:
            job.save()
            raise
        evaluates = job.epoch % plan.eval_every == 0 or job.epoch == plan.epochs
        if evaluates:
            job.set_precise_bn()
        job.save()  # an evaluation may meet a video that it cannot read
        if evaluates:
            result = job.evaluate(metrics)
        if job.process.any(stop.received) and job.epoch < plan.epochs:
            raise Interrupted
    return result or job.evaluate(metrics)
