"""Measures the overhead of the training loop over the bare model's forward, backward and update."""

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
from avdet.datasets.dataset import require_data
from avdet.distributed import DistributedContext
from avdet.engine.interrupt import StopSignal
from avdet.engine.metrics_log import MetricsLog
from avdet.engine.optim import build_sgd
from avdet.engine.run_dir import RunDir
from avdet.engine.session import TrainingSession
from avdet.structures import ClipBatch

STEPS_PER_TURN = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--turns", type=int, default=8, help=f"timed turns of {STEPS_PER_TURN} steps each (default 8)")


def run_and_print(args: argparse.Namespace) -> None:
    """Runs both loops in turns on the same batches, so that other load on the machine slows them alike."""
    config = config_from_arguments(args)
    if args.sample:
        provide_sample(config)
    else:
        require_data(config.dataset())
    logging.disable(logging.INFO)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as folder:
        run = RunDir(Path(folder))
        session = TrainingSession(config, run, DistributedContext(0, 1, device))
        session.sampler.start(0)
        batches = list(islice(session.loader, 2))
        with MetricsLog(run.metrics) as metrics, StopSignal() as stop:
            loops: dict[str, Callable[[list[ClipBatch]], None]] = {
                "bare": _bare_loop(session),
                "training loop": partial(
                    session.trainer.train_epoch, sampler=session.sampler, metrics=metrics, stop=stop
                ),
            }
            times: dict[str, list[float]] = {name: [] for name in loops}
            for turn in range(args.turns + 1):
                for name, train in loops.items():
                    times[name].append(_timed(train, batches[turn % len(batches)]))
    medians = {name: statistics.median(seconds[1:]) for name, seconds in times.items()}  # the first turn is warm-up
    ratio = medians["training loop"] / medians["bare"]
    Console().print(
        f"{config.name}, {len(batches[0])} clips per step: bare {medians['bare']:.3f} s, "
        f"training loop {medians['training loop']:.3f} s, {ratio - 1:+.1%}"
    )


def _bare_loop(session: TrainingSession) -> Callable[[list[ClipBatch]], None]:
    """Runs forward, backward and update, and nothing else."""
    optimizer = build_sgd(session.model, momentum=0.9, nesterov=True, weight_decay=1e-4, bn_weight_decay=0.0)

    def step(batches: list[ClipBatch]) -> None:
        for batch in batches:
            total = torch.stack(list(session.model(batch.to(session.process.device)).values())).sum()
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            optimizer.step()

    return step


def _timed(train: Callable[[list[ClipBatch]], None], batch: ClipBatch) -> float:
    torch.manual_seed(0)  # both loops drop the same activations
    start = time.perf_counter()
    train([batch] * STEPS_PER_TURN)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / STEPS_PER_TURN
