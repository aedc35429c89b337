"""Simulates the time of an epoch on several GPUs from the measured times of reading a clip and of a step."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

PREFETCH = 2  # batches per worker, the default of torch's DataLoader


@dataclass(frozen=True)
class Machine:
    """One GPU and its loader.

    workers: loader processes; batch: clips per step; read_s: mean seconds to read a clip; step_s: seconds of a
    training step; spread: standard deviation of a clip's reading time, relative to its mean.
    """

    workers: int
    batch: int
    read_s: float
    step_s: float
    spread: float = 0.3


def simulate(machine: Machine, gpus: int, *, steps: int = 400, seed: int = 0) -> tuple[float, float]:
    """Returns (clips per second of all GPUs, fraction of the time in which the GPUs wait for data).

    Each worker reads whole batches and holds up to PREFETCH of them. All GPUs step at once, as DDP averages their
    gradients. Reading times follow a gamma distribution. The first half of the steps is warm-up.
    """
    rng = np.random.default_rng(seed)
    shape = machine.batch / machine.spread**2  # of the sum of a batch's reading times
    read_s = rng.gamma(shape, machine.read_s * machine.batch / shape, size=(steps, gpus))
    ready_s = np.zeros((steps, gpus))
    start_s = np.zeros(steps)
    waited_s = np.zeros(steps)
    end_s = 0.0
    for step in range(steps):
        previous = step - machine.workers  # the same worker's last batch
        worker_free_s = ready_s[previous] if previous >= 0 else 0.0
        oldest = step - machine.workers * PREFETCH
        queue_free_s = start_s[oldest] if oldest >= 0 else 0.0
        ready_s[step] = np.maximum(worker_free_s, queue_free_s) + read_s[step]
        start_s[step] = max(end_s, float(ready_s[step].max()))
        waited_s[step] = start_s[step] - end_s
        end_s = start_s[step] + machine.step_s
    half = steps // 2
    total_s = end_s - start_s[half]
    return (steps - half) * machine.batch * gpus / total_s, float(waited_s[half + 1 :].sum()) / total_s


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clips", type=int, default=210_634, help="clips per epoch (default: AVA v2.2's train keyframes)"
    )
    parser.add_argument(
        "--read-s", type=float, required=True, help="seconds per clip and core, from benchmark.py loader"
    )
    parser.add_argument(
        "--step-s", type=float, required=True, help="seconds per training step, from benchmark.py model"
    )
    parser.add_argument("--batch", type=int, default=8, help="clips per GPU and step (default 8)")
    parser.add_argument("--workers", type=int, nargs="+", default=[4, 8, 16], help="loader processes per GPU")
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 64])


def run_and_print(args: argparse.Namespace) -> None:
    """Raises ValueError for a time or a count of 0 or less."""
    if min(args.read_s, args.step_s, args.batch, args.clips, *args.workers, *args.gpus) <= 0:
        raise ValueError("times and counts must be above 0")
    title = f"{args.clips:,} clips, {args.read_s:g} s per clip, {args.step_s:g} s per step of {args.batch} clips"
    table = Table("GPUs", "workers/GPU", "clips/s", "epoch", "waiting for data", title=title)
    for gpus in args.gpus:
        for workers in args.workers:
            machine = Machine(workers, args.batch, args.read_s, args.step_s)
            clips_per_s, waiting = simulate(machine, gpus)
            minutes = args.clips / clips_per_s / 60
            table.add_row(f"{gpus}", f"{workers}", f"{clips_per_s:,.0f}", f"{minutes:,.1f} min", f"{waiting:.0%}")
    Console().print(table)
