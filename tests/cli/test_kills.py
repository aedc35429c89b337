"""A run that is killed again and again ends as one that never was."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.config import Config
from tests.conftest import REPOSITORY

KILLS = 20


@pytest.mark.slow
def test_twenty_kills_at_random_moments(tiny_config: Config, tmp_path: Path) -> None:
    """Also while it saves, which it does after each epoch of two iterations; the last start runs to the end."""
    longer = tiny_config.train.model_copy(update={"epochs": 60, "eval_every": 20, "ema": 0.9, "keep_checkpoints": 2})
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(tiny_config.model_copy(update={"train": longer}).to_yaml())
    tool = [sys.executable, str(REPOSITORY / "tools/train_net.py"), "--config", str(recipe), "--output"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*tool, str(whole)], check=True, stdout=subprocess.DEVNULL)
    rng = random.Random(0)
    kills = 0
    while kills < KILLS:
        resume = ["--resume"] if (killed / "checkpoints/last.pt").exists() else []
        if not resume and (killed / "config.yaml").exists():
            (killed / "config.yaml").unlink()  # killed before anything was saved: the run starts anew
        with subprocess.Popen([*tool, str(killed), *resume], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "sanity check passed" in line or "resumed" in line:
                    break
            time.sleep(rng.uniform(0.0, 1.5))
            ended = process.poll() is not None
            process.kill()
        kills += 1
        if ended:
            break
    subprocess.run([*tool, str(killed), "--resume"], check=True, stdout=subprocess.DEVNULL)
    assert kills == KILLS, f"the run ended after {kills} kills: make it longer"
    for name in ("last.pt", "best.pt"):
        first, second = (load_checkpoint(folder / "checkpoints" / name) for folder in (whole, killed))
        assert all(torch.equal(value, second.model_state[key]) for key, value in first.model_state.items()), name
    assert (killed / "detections.csv").read_bytes() == (whole / "detections.csv").read_bytes()
    names = ["best.pt", "last-1.pt", "last-2.pt", "last.pt"]
    assert sorted(path.name for path in (killed / "checkpoints").iterdir()) == names
