"""The authors' own code and ours in turns on one processor: ratios hold where other work shares the machine."""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import nn
from torch.nn.functional import cross_entropy

from avdet.cli.benchmark_model import CLASSES, PRECISIONS, Mode, has_bfloat16, peak_gb, prepare
from avdet.settings import ModelConfig

__all__ = ["add_arguments", "run_and_print"]

RECIPE = "configs/Kinetics/AVSLOWFAST_4x16_R50.yaml"
# Imported by the authors' models and not needed for them; slowfast.datasets does not compile as published.
UNUSED = ("detectron2", "detectron2.layers", "matplotlib", "psutil", "slowfast.datasets", "slowfast.datasets.utils")
REFERENCE = "the reference"
EVERY_BLOCK_APART = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # the allocator's leftovers add 0.5 to 1.5 GB, never the same


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", type=Path, metavar="DIR", help="a clone of github.com/fanyix/SlowFast")
    parser.add_argument("--rounds", type=int, default=9, help="timed runs of each, after two that are not")


def run_and_print(args: argparse.Namespace) -> None:
    if args.rounds < 1:
        raise ValueError(f"--rounds {args.rounds} leaves nothing to measure; give 1 or more")
    if not (args.code / RECIPE).is_file():
        raise ValueError(f"{args.code} has no {RECIPE}; give a clone of github.com/fanyix/SlowFast")
    modes = _modes()
    peaks = {name: _peak_gb(args.code, name, mode) for name, mode in modes.items()}  # first: a child starts at ours
    table = Table(
        "", "median s", "least s", "of the reference", "least of least", "peak GB",
        title=f"AVSlowFast 4x16, R50, {torch.get_num_threads()} threads, torch {torch.__version__}",
        caption="of the reference: the median over rounds, each beside the reference's run of that round",
    )  # fmt: skip
    for what in dict.fromkeys(mode.what for mode in modes.values()):
        runs = {name: _prepare(args.code, name, mode) for name, mode in modes.items() if mode.what == what}
        seconds = _in_turns(runs, args.rounds, what)
        reference = next(iter(seconds.values()))
        for name, own in seconds.items():
            ratio = statistics.median(mine / theirs for mine, theirs in zip(own, reference, strict=True))
            table.add_row(
                name, f"{statistics.median(own):.3f}", f"{min(own):.3f}", f"{ratio:.2f}",
                f"{min(own) / min(reference):.2f}", f"{peaks[name]:.2f}",
            )  # fmt: skip
    Console(width=max(110, Console().width)).print(table)


def _modes() -> dict[str, Mode]:
    """By name; of each kind the reference's comes first."""
    modes: dict[str, Mode] = {}
    for what, clips, size_px in (("prediction", 1, 256), ("training step", 2, 224)):
        modes[f"{what}, {REFERENCE}"] = Mode(what, "fp32", clips, size_px)
        for dropped in (False, True)[: 1 + (what == "training step")]:
            for precision in list(PRECISIONS)[: 1 + has_bfloat16()]:
                name = f"{what}, ours, {precision}{', sound dropped' * dropped}"
                modes[name] = Mode(what, precision, clips, size_px, dropped)
    return modes


def _in_turns(runs: Mapping[str, Callable[[], object]], rounds: int, title: str) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for place in track(range(2 + rounds), title, transient=True):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if place >= 2:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _peak_gb(code: Path, name: str, mode: Mode) -> float:
    """In a fresh process, which imports both code bases whichever it runs."""
    os.environ.update(EVERY_BLOCK_APART)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(_peak_of_two_runs, code, name, mode, torch.get_num_threads()).result()


def _peak_of_two_runs(code: Path, name: str, mode: Mode, threads: int) -> float:
    torch.set_num_threads(threads)
    run = _prepare(code, name, mode)
    run()
    run()
    return peak_gb(torch.device("cpu"))


def _prepare(code: Path, name: str, mode: Mode) -> Callable[[], object]:
    authors = _authors_model(code)
    if name.endswith(REFERENCE):
        return (_authors_step if mode.trains else _authors_prediction)(authors(), mode.clips, mode.size_px)
    return prepare(ModelConfig(), mode, torch.device("cpu"))


def _authors_model(code: Path) -> Callable[[], Any]:
    """Builds their model of RECIPE, without synchronisation loss and DropPathway."""
    sys.path.insert(0, str(code.resolve()))
    sys.modules.update({name: MagicMock() for name in UNUSED if name not in sys.modules})
    try:
        defaults = importlib.import_module("slowfast.config.defaults")
        models = importlib.import_module("slowfast.models")
    except ModuleNotFoundError as error:
        raise ValueError(f"the authors' code needs {error.name}: pip install fvcore simplejson") from error
    settings = defaults.get_cfg()
    settings.set_new_allowed(True)  # the recipe has settings that the code does not know
    settings.merge_from_file(str(code / RECIPE))
    settings.NUM_GPUS = 0
    settings.DATA.GET_MISALIGNED_AUDIO = False
    settings.SLOWFAST.AVS_FLAG = [False] * len(settings.SLOWFAST.AVS_FLAG)
    settings.SLOWFAST.DROPPATHWAY_RATE = 0.0
    return lambda: models.build_model(settings)


def _noise(clips: int, size_px: int) -> list[torch.Tensor]:
    """Slow's frames, Fast's and the log-mel."""
    return [
        torch.randn(clips, 3, 4, size_px, size_px),
        torch.randn(clips, 3, 32, size_px, size_px),
        torch.randn(clips, 1, 1, 128, 80),
    ]


def _authors_prediction(network: nn.Module, clips: int, size_px: int) -> Callable[[], object]:
    network.eval()
    inputs = _noise(clips, size_px)

    @torch.no_grad()
    def predict() -> object:
        return network(list(inputs))  # it changes the list

    return predict


def _authors_step(network: nn.Module, clips: int, size_px: int) -> Callable[[], object]:
    inputs, labels = _noise(clips, size_px), torch.arange(clips) % CLASSES
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(network(list(inputs)), labels).backward()
        optimizer.step()

    return step
