"""N processes give the same losses and detections as one; a process that is stopped or lost stops or restarts all."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import start_processes

from avdet.config import Config, parse_config
from avdet.data.loader import ClipLoader
from avdet.distributed import DistributedContext
from avdet.engine.detection_task import DetectionTask
from avdet.engine.run_dir import RunDir
from avdet.engine.session import train
from avdet.models.action_model import ActionModel
from avdet.structures import ClipBatch
from tests.conftest import REPOSITORY
from tests.engine.shared import with_settings

SCORE = 7  # column of the detections CSV
TRAINED = {
    "sync_bn": True,
    "batch_size": 6,
    "lr": 0.05,
    "base_batch_size": 6,
    "epochs": 4,
    "eval_every": 4,
    "log_every": 1,
}
UNTRAINED = {  # so that rounding in training has no effect
    "lr": 1e-12,
    "warmup_epochs": 0,
    "epochs": 1,
    "eval_every": 1,
    "freeze": ("trunk",),
    "precise_bn_clips": 0,
    "batch_size": 6,
}


@dataclass(frozen=True)
class Results:
    """Losses by iteration and detections of a trained model, and the detections of an untrained one."""

    losses: list[float]
    detections: pd.DataFrame
    untrained_detections: pd.DataFrame


@contextmanager
def double_precision() -> Iterator[None]:
    """Rounding errors grow up to tenfold per iteration: invisible in float64, where a real difference still shows."""
    build_model, move = DetectionTask.build_model, ClipBatch.to

    def build_double(task: DetectionTask, loader: ClipLoader[ClipBatch] | None = None) -> ActionModel:
        return build_model(task, loader).double()

    def move_double(batch: ClipBatch, device: torch.device) -> ClipBatch:
        moved = move(batch, device)
        assert moved.audio is not None
        return replace(moved, frames=moved.frames.double() / 128 - 1, audio=moved.audio.double())

    with (
        patch.object(DetectionTask, "build_model", build_double),
        patch.object(ClipBatch, "to", move_double),
        patch.object(torch.Tensor, "float", torch.Tensor.double),
    ):
        yield


def _train_both(rank: int, world_size: int, folder: Path, trained: str, untrained: str) -> None:
    torch.set_num_threads(1)
    if world_size > 1:
        store = f"file://{folder}/store"
        dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world_size)
    process = DistributedContext(rank, world_size, torch.device("cpu"))
    with double_precision():
        train(parse_config(json.loads(trained)), RunDir(folder / "trained"), process, resume=False)
    train(parse_config(json.loads(untrained)), RunDir(folder / "untrained"), process, resume=False)
    if world_size > 1:
        dist.destroy_process_group()


@pytest.fixture(scope="module")
def results_of(tiny_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Results]:
    """The results by number of processes, each computed once."""
    config = with_settings(tiny_config, "model", drop_pathway_rate=0.0)
    trained = with_settings(config, "train", **TRAINED).model_dump_json()
    untrained = with_settings(tiny_config, "train", **UNTRAINED).model_dump_json()

    @functools.cache
    def results(world_size: int) -> Results:
        folder = tmp_path_factory.mktemp("runs")
        if world_size == 1:
            _train_both(0, 1, folder, trained, untrained)
        else:
            arguments = (world_size, folder, trained, untrained)
            start_processes(_train_both, arguments, nprocs=world_size, start_method="forkserver")
        lines = [json.loads(line) for line in RunDir(folder / "trained").metrics.read_text().splitlines()]
        losses = [line["loss/action"] for line in lines if "loss/action" in line]
        tables = [pd.read_csv(RunDir(folder / name).detections, header=None) for name in ("trained", "untrained")]
        return Results(losses, *tables)

    return results


@pytest.mark.parametrize("world_size", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_training_gives_the_same_losses_and_detections(results_of: Callable[[int], Results], world_size: int) -> None:
    one, many = results_of(1), results_of(world_size)
    assert len(one.losses) == 4 and many.losses == pytest.approx(one.losses, rel=1e-6)
    assert many.detections[[0, 1, 6]].equals(one.detections[[0, 1, 6]])
    assert (many.detections[SCORE] - one.detections[SCORE]).abs().max() < 1e-5


def test_evaluation_gives_the_same_detections(results_of: Callable[[int], Results]) -> None:
    one, two = results_of(1).untrained_detections, results_of(2).untrained_detections
    assert (one[SCORE] - two[SCORE]).abs().max() <= 1e-6
    assert one.drop(columns=SCORE).equals(two.drop(columns=SCORE))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_or_lost_process_of_two(tiny_config: Config, tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM to torchrun: all processes save and exit. SIGKILL to a worker: torchrun restarts both, which resume."""
    config, output = tmp_path / "config.yaml", tmp_path / "run"
    config.write_text(with_settings(tiny_config, "train", epochs=30, eval_every=10, log_every=1).to_yaml())
    tool = [str(REPOSITORY / "tools/train_net.py"), "--config", str(config), "--output", str(output)]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "1", *tool]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as torchrun:
        deadline = time.monotonic() + 120
        while not (output / "checkpoints/last.pt").exists():
            assert time.monotonic() < deadline and torchrun.poll() is None
            time.sleep(0.1)
        if number == signal.SIGTERM:
            torchrun.send_signal(number)
        else:
            of_this_run = f"^{re.escape(sys.executable)} .*train_net.*{re.escape(str(output))}"
            processes = subprocess.run(["pgrep", "-f", of_this_run], capture_output=True, text=True, check=True)
            os.kill(int(processes.stdout.split()[-1]), number)  # the newest is a worker
        log, _ = torchrun.communicate(timeout=200)
    if number == signal.SIGTERM:
        assert "Interrupted; saved in" in log
        subprocess.run([*command, "--resume"], env=environment, check=True, stdout=subprocess.DEVNULL)
    else:
        assert torchrun.returncode == 0 and "resumed" in log
    assert json.loads((output / "results.json").read_text())["detection"]["mAP"] is not None
