"""Measures the authors' code and avdet in turns on the CPU, so that other load affects both alike."""

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

from avdet.settings import ModelConfig
from benchmarks.model import CLASSES, PRECISIONS, Mode, has_bfloat16, peak_gb, prepare

__all__ = ["add_arguments", "run_and_print"]

CONFIG = "configs/Kinetics/AVSLOWFAST_4x16_R50.yaml"
# The authors' models import these without using them; slowfast.datasets does not compile as published.
UNUSED = ("detectron2", "detectron2.layers", "matplotlib", "psutil", "slowfast.datasets", "slowfast.datasets.utils")
REFERENCE = "the reference"
# Returns freed memory to the system at once; without it the peak varies by 0.5 to 1.5 GB.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", type=Path, metavar="DIR", help="a clone of github.com/fanyix/SlowFast")
    parser.add_argument("--rounds", type=int, default=9, help="timed runs of each mode, after two warm-up runs")


def run_and_print(args: argparse.Namespace) -> None:
    if args.rounds < 1:
        raise ValueError(f"--rounds is {args.rounds}; give 1 or more")
    if not (args.code / CONFIG).is_file():
        raise ValueError(f"{args.code} has no {CONFIG}; give a clone of github.com/fanyix/SlowFast")
    modes = _modes()
    # Before any model is built here: a child process starts with the peak of its parent.
    peaks = {name: _peak_gb(args.code, name, mode) for name, mode in modes.items()}
    table = Table(
        "", "median s", "min s", "ratio of medians", "ratio of minima", "peak GB",
        title=f"AVSlowFast 4x16, R50, {torch.get_num_threads()} threads, torch {torch.__version__}",
        caption="ratio of medians: median over rounds of the time divided by the reference's time in the same round",
    )  # fmt: skip
    for what in dict.fromkeys(mode.what for mode in modes.values()):
        runs = {name: _prepare(args.code, name, mode) for name, mode in modes.items() if mode.what == what}
        seconds = _in_turns(runs, args.rounds, what)
        reference = next(iter(seconds.values()))
        for name, own in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(own, reference, strict=True))
            table.add_row(
                name, f"{statistics.median(own):.3f}", f"{min(own):.3f}", f"{ratio:.2f}",
                f"{min(own) / min(reference):.2f}", f"{peaks[name]:.2f}",
            )  # fmt: skip
    Console(width=max(110, Console().width)).print(table)


def _modes() -> dict[str, Mode]:
    """Modes by name; the reference comes first of each kind."""
    modes: dict[str, Mode] = {}
    for what, clips, size_px in (("prediction", 1, 256), ("training step", 2, 224)):
        modes[f"{what}, {REFERENCE}"] = Mode(what, "fp32", clips, size_px)
        for dropped in (False, True)[: 1 + (what == "training step")]:
            for precision in list(PRECISIONS)[: 1 + has_bfloat16()]:
                name = f"{what}, avdet, {precision}{', audio dropped' * dropped}"
                modes[name] = Mode(what, precision, clips, size_px, dropped)
    return modes


def _in_turns(runs: Mapping[str, Callable[[], object]], rounds: int, title: str) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in track(range(2 + rounds), title, transient=True):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if turn >= 2:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def _peak_gb(code: Path, name: str, mode: Mode) -> float:
    """Measures peak memory in a fresh process, which imports both code bases."""
    os.environ.update(MALLOC)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak_of_two_runs, code, name, mode, torch.get_num_threads()).result()


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
    """Returns a function that builds the authors' model of CONFIG, without AVS loss and DropPathway."""
    sys.path.insert(0, str(code.resolve()))
    sys.modules.update({name: MagicMock() for name in UNUSED if name not in sys.modules})
    try:
        defaults = importlib.import_module("slowfast.config.defaults")
        models = importlib.import_module("slowfast.models")
    except ModuleNotFoundError as error:
        raise ValueError(f"the authors' code needs {error.name}: pip install fvcore simplejson") from error
    settings = defaults.get_cfg()
    settings.set_new_allowed(True)  # the config has settings that the code does not define
    settings.merge_from_file(str(code / CONFIG))
    settings.NUM_GPUS = 0
    settings.DATA.GET_MISALIGNED_AUDIO = False
    settings.SLOWFAST.AVS_FLAG = [False] * len(settings.SLOWFAST.AVS_FLAG)
    settings.SLOWFAST.DROPPATHWAY_RATE = 0.0
    return lambda: models.build_model(settings)


def _noise(clips: int, size_px: int) -> list[torch.Tensor]:
    """Frames of the Slow and of the Fast pathway, and the log-mel."""
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
        return network(list(inputs))  # the model modifies the list

    return predict


def _authors_step(network: nn.Module, clips: int, size_px: int) -> Callable[[], object]:
    inputs, labels = _noise(clips, size_px), torch.arange(clips) % CLASSES
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True, weight_decay=1e-4)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(network(list(inputs)), labels).backward()
        optimizer.step()

    return step
