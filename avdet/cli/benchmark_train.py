"""What the engine adds to the bare model's forward, backward and update, on the same batches."""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from rich.console import Console

from avdet.cli.config_arguments import add_config_arguments, config_from_arguments, provide_sample
from avdet.datasets.locate import require_data
from avdet.distributed import DistributedContext
from avdet.engine.interrupt import StopSignal
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.optim import build_sgd
from avdet.engine.run_dir import RunDir
from avdet.engine.session import TrainingSession
from avdet.structures import ClipBatch

TURN = 4  # steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--turns", type=int, default=8, help=f"of {TURN} steps of each kind (default 8)")


def run_and_print(args: argparse.Namespace) -> None:
    """A few steps of the engine and as many bare ones take turns, so that a busy machine slows both alike."""
    config = config_from_arguments(args)
    if args.sample:
        provide_sample(config)
    else:
        require_data(config.data)
    logging.disable(logging.INFO)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as folder:
        run = RunDir(Path(folder))
        job = TrainingSession(config, run, DistributedContext(0, 1, device))
        job.sampler.start(0)
        batches = list(islice(job.loader, 2))
        with MetricsLog(run.metrics) as metrics, StopSignal() as stop:
            ways: dict[str, Callable[[list[ClipBatch]], None]] = {
                "bare": _bare(job),
                "engine": partial(job.trainer.run_epoch, sampler=job.sampler, metrics=metrics, stop=stop),
            }
            times: dict[str, list[float]] = {name: [] for name in ways}
            for turn in range(args.turns + 1):
                for name, train in ways.items():
                    times[name].append(_timed(train, batches[turn % len(batches)]))
    medians = {name: statistics.median(seconds[1:]) for name, seconds in times.items()}  # the first warms up
    ratio = medians["engine"] / medians["bare"]
    Console().print(
        f"{config.name}, {len(batches[0])} clips a step: bare {medians['bare']:.3f} s, "
        f"engine {medians['engine']:.3f} s, {ratio - 1:+.1%}"
    )


def _bare(job: TrainingSession) -> Callable[[list[ClipBatch]], None]:
    """Forward, backward, update, and nothing else."""
    optimizer = build_sgd(job.model, momentum=0.9, nesterov=True, weight_decay=1e-4, bn_weight_decay=0.0)

    def step(batches: list[ClipBatch]) -> None:
        for batch in batches:
            total = torch.stack(list(job.model(batch.to(job.process.device)).values())).sum()
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            optimizer.step()

    return step


def _timed(train: Callable[[list[ClipBatch]], None], batch: ClipBatch) -> float:
    torch.manual_seed(0)  # the same is dropped in both
    began = time.perf_counter()
    train([batch] * TURN)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / TURN
