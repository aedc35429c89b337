"""train_people.py on a tiny sample set: training, evaluation, and wrong usage."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

import ava_eval
from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli import detect_people, train_people
from tests.cli.refusal import refusal
from tests.conftest import REPOSITORY


def train(config: str, run: Path, *options: str) -> None:
    argv = ["--config", config, "--person-detector", "torchvision", "--device", "cpu", "--output", str(run), *options]
    assert train_people.main(argv) == 0


def metrics(run: Path) -> dict[str, float]:
    results = json.loads((run / "results.json").read_text())
    assert {"people", "seed", "command", "versions", "data_fingerprint"} <= results.keys()
    metrics: dict[str, float] = results["people"]
    return metrics


def test_a_saved_detector_has_the_metrics_of_its_run(tiny_config_file: str, tmp_path: Path) -> None:
    run, again = tmp_path / "run", tmp_path / "again"
    options = ("--model", "tiny", "--epochs", "2", "--batch-size", "4", "--evaluate", "data.workers=1")
    train(tiny_config_file, run, *options)
    assert {"ap50", "ap", "recall", "precision", "identity_switches"} <= metrics(run).keys()
    assert set(ava_eval.read_boxes(run / "boxes.csv")["video"]) <= {"sample_val_00", "sample_val_01"}
    train(tiny_config_file, again, "--epochs", "0", "--weights", str(run / "people.pt"))
    assert metrics(again) == metrics(run)
    assert not (again / "people.pt").exists()


def test_the_seed_determines_the_weights(tiny_config_file: str, tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("same", 3), ("other", 4)):
        train(tiny_config_file, tmp_path / name, f"seed={seed}", "--model", "tiny", "--epochs", "1", "data.workers=1")
    first, same, other = (load_checkpoint(tmp_path / x / "people.pt").model_state for x in ("first", "same", "other"))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_wrong_usage(tiny_config_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("")
    for options, message in [
        (("--epochs", "-1"), "--epochs is -1"),
        (("--lr", "0"), "--lr is 0.0; give a finite learning rate above 0"),
        (("--lr", "nan"), "--lr is nan"),
        (("--output", run), "already holds a run"),
        (("--weights", tmp_path / "no.pt", "--output", tmp_path / "x"), "no checkpoint at"),
        (("--epochs", "0", "--model", "tiny", "--output", tmp_path / "y"), "has no published weights"),
        (("data.videos=nowhere",), "nowhere (data.videos)"),
    ]:
        argv = ["--config", tiny_config_file, "--person-detector", "torchvision", *options]
        assert message in refusal(train_people.main, capsys, *argv)


@pytest.mark.parametrize("tool", [train_people, detect_people], ids=["train", "detect"])
def test_a_config_without_boxes_is_refused_before_any_file_is_created(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = REPOSITORY / "configs/kinetics/slowfast_4x16_r50.yaml"
    error = refusal(tool.main, capsys, "--config", config, "--sample", "--output", "out")
    assert "has data of kind kinetics, without person boxes; give a config of kind ava" in error
    assert not list(tmp_path.iterdir())
