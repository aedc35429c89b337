"""One, two and three processes give the same losses and the same detections; what one is told, all do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn

from avdet.config import parse_config
from avdet.data.loader import ClipLoader
from avdet.distributed import DistributedContext
from avdet.engine.detection_task import DetectionTask
from avdet.engine.run_dir import RunDir
from avdet.engine.session import train
from avdet.models.action_model import ActionModel
from avdet.settings import Config
from avdet.structures import ClipBatch
from tests.conftest import REPOSITORY

ALIKE = {
    "sync_bn": True,
    "batch_size": 6,
    "lr": 0.05,
    "base_batch_size": 6,
    "epochs": 8,
    "eval_every": 8,
    "log_every": 1,
}


def _train_in_double(rank: int, world: int, folder: str, settings: str) -> None:
    """Rounding grows up to tenfold an iteration; in float64 nothing of it shows, and a real difference does."""
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
        _train(rank, world, folder, settings)


def _train(rank: int, world: int, folder: str, settings: str) -> None:
    torch.set_num_threads(1)
    if world > 1:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
    train(
        parse_config(json.loads(settings)),
        RunDir(Path(folder)),
        DistributedContext(rank, world, torch.device("cpu")),
        resume=False,
    )
    if world > 1:
        dist.destroy_process_group()


def run_with(
    world: int, config: Config, folder: Path, work: Callable[..., None] = _train
) -> tuple[list[float], pd.DataFrame]:
    """Losses by iteration, detections."""
    folder.mkdir()
    spawn(work, args=(world, str(folder), config.model_dump_json()), nprocs=world)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss/action"] for line in lines if "loss/action" in line]
    return losses, pd.read_csv(folder / "detections.csv", header=None)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[float], pd.DataFrame]]:
    return {}


@pytest.mark.parametrize("world", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_processes_change_nothing(
    alone: dict[str, tuple[list[float], pd.DataFrame]], tiny_config: Config, tmp_path: Path, world: int
) -> None:
    config = tiny_config.model_copy(
        update={
            "model": tiny_config.model.model_copy(update={"drop_pathway_rate": 0.0}),
            "train": tiny_config.train.model_copy(update=ALIKE),
        }
    )
    if not alone:
        alone["one"] = run_with(1, config, tmp_path / "one", _train_in_double)
    losses, detections = alone["one"]
    losses_many, detections_many = run_with(world, config, tmp_path / "many", _train_in_double)
    assert losses_many == pytest.approx(losses, rel=1e-6)
    assert detections_many[[0, 1, 6]].equals(detections[[0, 1, 6]])
    assert (detections_many[7] - detections[7]).abs().max() < 1e-5  # scores


def test_evaluation_is_the_same_to_the_last_digit(tiny_config: Config, tmp_path: Path) -> None:
    """Untrained weights, so that training's rounding is out of it."""
    frozen = {
        "lr": 1e-12,
        "warmup_epochs": 0,
        "epochs": 1,
        "eval_every": 1,
        "freeze": ("trunk",),
        "precise_bn_clips": 0,
        "batch_size": 4,
    }
    config = tiny_config.model_copy(update={"train": tiny_config.train.model_copy(update=frozen)})
    one, two = (run_with(world, config, tmp_path / str(world))[1] for world in (1, 2))
    assert (one[7] - two[7]).abs().max() <= 1e-6 and one.drop(columns=7).equals(two.drop(columns=7))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_lost_or_told_process_of_two(tiny_config: Config, tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM to torchrun: all save and end. SIGKILL to one: torchrun starts both again, and they go on to the end."""
    recipe, output = tmp_path / "recipe.yaml", tmp_path / "run"
    longer = tiny_config.train.model_copy(update={"epochs": 30, "eval_every": 10, "log_every": 1})
    recipe.write_text(tiny_config.model_copy(update={"train": longer}).to_yaml())
    tool = [str(REPOSITORY / "tools/train_net.py"), "--config", str(recipe), "--output", str(output)]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "1", *tool]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 120
        while not (output / "checkpoints/last.pt").exists():
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.1)
        if number == signal.SIGTERM:
            process.send_signal(number)
        else:
            workers = subprocess.run(
                ["pgrep", "-f", f"^{sys.executable} .*train_net"], capture_output=True, text=True, check=True
            )
            os.kill(int(workers.stdout.split()[-1]), number)
        said, _ = process.communicate(timeout=200)
    if number == signal.SIGTERM:
        assert "Stopped and saved" in said
        subprocess.run([*command, "--resume"], env=environment, check=True, stdout=subprocess.DEVNULL)
    else:
        assert process.returncode == 0 and "resumed" in said
    assert json.loads((output / "results.json").read_text())["detection"]["mAP"] is not None
