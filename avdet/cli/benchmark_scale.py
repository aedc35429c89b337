"""What an epoch costs on more GPUs, from the measured times of one: a simulation of loaders and steps that wait."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

PREFETCH = 2  # batches that a worker holds ready, as torch's loader does


@dataclass(frozen=True)
class Machine:
    """One GPU's share: `workers` read `batch` clips of `read_s` seconds each, a step takes `step_s`.

    spread: standard deviation of a clip's reading time, in its mean.
    """

    workers: int
    batch: int
    read_s: float
    step_s: float
    spread: float = 0.3


def simulate(machine: Machine, gpus: int, *, steps: int = 400, seed: int = 0) -> tuple[float, float]:
    """(clips a second over all GPUs, share of the time that the GPUs wait for data).

    Each worker reads whole batches, one after another, as long as no more than PREFETCH of its own wait; the GPUs step
    together, because their gradients are one mean. Reading times are gamma distributed. The first half is warm-up.
    """
    rng = np.random.default_rng(seed)
    shape = machine.batch / machine.spread**2  # of the sum over a batch
    reading = rng.gamma(shape, machine.read_s * machine.batch / shape, size=(steps, gpus))
    ready = np.zeros((steps, gpus))
    began = np.zeros(steps)
    waited = np.zeros(steps)
    end = 0.0
    for step in range(steps):
        before = step - machine.workers
        free = ready[before] if before >= 0 else 0.0
        room = step - machine.workers * PREFETCH
        taken = began[room] if room >= 0 else 0.0
        ready[step] = np.maximum(free, taken) + reading[step]
        began[step] = max(end, float(ready[step].max()))
        waited[step] = began[step] - end
        end = began[step] + machine.step_s
    half = steps // 2
    lasted = end - began[half]
    return (steps - half) * machine.batch * gpus / lasted, float(waited[half + 1 :].sum()) / lasted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clips", type=int, default=210_634, help="clips an epoch (default: AVA v2.2's train keyframes)"
    )
    parser.add_argument(
        "--read-s", type=float, required=True, help="seconds a core takes for a clip: benchmark.py loader"
    )
    parser.add_argument("--step-s", type=float, required=True, help="seconds of a training step: benchmark.py model")
    parser.add_argument("--batch", type=int, default=8, help="clips a GPU and step (default 8)")
    parser.add_argument("--workers", type=int, nargs="+", default=[4, 8, 16], help="readers a GPU")
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 64])


def run_and_print(args: argparse.Namespace) -> None:
    """Raises ValueError for times and counts that are not above 0."""
    if min(args.read_s, args.step_s, args.batch, args.clips, *args.workers, *args.gpus) <= 0:
        raise ValueError("times and counts must all be above 0")
    title = f"{args.clips:,} clips, {args.read_s:g} s to read one, {args.step_s:g} s for a step of {args.batch}"
    table = Table("GPUs", "readers a GPU", "clips/s", "an epoch", "GPUs wait", title=title)
    for gpus in args.gpus:
        for workers in args.workers:
            machine = Machine(workers, args.batch, args.read_s, args.step_s)
            clips_per_s, waiting = simulate(machine, gpus)
            minutes = args.clips / clips_per_s / 60
            table.add_row(f"{gpus}", f"{workers}", f"{clips_per_s:,.0f}", f"{minutes:,.1f} min", f"{waiting:.0%}")
    Console().print(table)
