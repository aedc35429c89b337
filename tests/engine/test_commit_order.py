"""A run that is killed between any two writes ends with the files of a run that is not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.config import Config
from avdet.engine import session
from avdet.engine.run_dir import RunDir, latest_run
from avdet.engine.session import train
from tests.engine.shared import SINGLE_PROCESS, with_settings

TIMING = {"data_s", "step_s", "clips_per_s"}


def metrics(run: RunDir) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without the measured times."""
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in TIMING} for line in lines]


def results(run: RunDir) -> dict[str, Any]:
    """results.json without the revision of the checkout, which may change while the tests run."""
    return {name: value for name, value in json.loads(run.results.read_text()).items() if name != "git_revision"}


class Outcome:
    """What a run leaves: metrics, results, detections and the weights of best.pt and last.pt."""

    def __init__(self, run: RunDir) -> None:
        self.tables = (metrics(run), results(run), run.detections.read_bytes())
        self.weights = [load_checkpoint(path).model_state for path in (run.best, run.last)]

    def assert_equals(self, expected: Outcome, state: str) -> None:
        assert self.tables == expected.tables, state
        for weights, wanted in zip(self.weights, expected.weights, strict=True):
            assert all(torch.equal(weights[name], wanted[name]) for name in wanted), state


@pytest.mark.parametrize("epochs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_between_any_two_writes(
    tiny_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int
) -> None:
    """Every write is flushed: a copy of the run directory at each flush is what a kill at that point leaves."""
    config = with_settings(
        tiny_config, "train", epochs=epochs, eval_every=1, keep_checkpoints=1, precise_bn_clips=0, log_every=1
    )
    run, copies = RunDir(tmp_path / "whole"), [RunDir(tmp_path / "0")]
    flush = os.fsync

    def flush_and_copy(file: int) -> None:
        flush(file)
        shutil.copytree(run.path, copies[-1].path)
        if len(copies) == 1 or content(copies[-1]) != content(copies[-2]):
            copies.append(RunDir(tmp_path / str(len(copies))))
        else:
            shutil.rmtree(copies[-1].path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", flush_and_copy)
        train(config, run, SINGLE_PROCESS, resume=False)
    assert len(copies) > 12
    expected = Outcome(run)
    monkeypatch.setattr(session, "sanity_check", lambda _: None)  # for time: the whole run had it
    for copy in copies[:-1]:
        state = str(sorted(path.name for path in copy.path.rglob("*")))
        found, resume = latest_run(config.name, copy.path) if copy.config.exists() else (copy, False)
        train(config, found, SINGLE_PROCESS, resume=resume)
        Outcome(found).assert_equals(expected, state)


def content(run: RunDir) -> dict[Path, bytes]:
    """The files of a run on which resuming depends."""
    files = (path for path in run.path.rglob("*") if path.is_file() and path.suffix != ".partial")
    return {path.relative_to(run.path): path.read_bytes() for path in files if "tfevents" not in path.name}
