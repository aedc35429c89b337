from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from avdet.config import Config
from avdet.settings import ModelConfig
from benchmark import main
from benchmarks import model
from benchmarks.model import Mode, Timing, count, measure, operations, product_tflops
from tests.models.tiny import tiny_config


def test_counts_by_part_equal_the_reference() -> None:
    """The authors' code has these counts in millions: 41.82 M parameters and 39.6 G multiply-adds in total."""
    counts = count(ModelConfig(), 256)
    expected = {"Slow": 32.78, "Fast": 0.51, "Audio": 6.12, "F->S": 0.21, "audio fusion": 0.86, "head": 1.33}
    assert {part: millions for part, (millions, _) in counts.items()} == pytest.approx(expected, abs=0.006)
    assert sum(billions for _, billions in counts.values()) == pytest.approx(39.6, abs=0.05)
    assert counts["Slow"][1] > counts["Fast"][1] > counts["Audio"][1] > 1 > counts["head"][1] > 0


def test_operations_of_a_run() -> None:
    settings = ModelConfig()
    forward, step, dropped = (
        operations(settings, Mode(what, "fp32", 2, 64, dropped))
        for what, dropped in (("prediction", False), ("training step", False), ("training step", True))
    )
    parts = count(settings, 64)
    assert forward == pytest.approx(4e9 * sum(billions for _, billions in parts.values()))
    assert step == 3 * forward
    assert step - dropped == pytest.approx(12e9 * (parts["Audio"][1] + parts["audio fusion"][1]))
    assert product_tflops(torch.float32, runs=1) > 0


def test_measures_in_a_separate_process() -> None:
    timing = measure(tiny_config(), Mode("training step", "bf16", 2, 32), runs=2)
    assert timing.median_s >= timing.min_s > 0 and timing.peak_gb > 0.05


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, without the large matrix product."""

    def measure_here(settings: ModelConfig, mode: Mode, *, runs: int, compiled: bool) -> Timing:
        return model._time(settings, mode, runs, compiled, threads=1)

    monkeypatch.setattr(model, "measure", measure_here)
    monkeypatch.setattr(model, "product_tflops", lambda dtype: 0.1)
    config = tmp_path / "tiny.yaml"
    config.write_text(yaml.safe_dump(Config(model=tiny_config(audio=False)).model_dump(mode="json")), encoding="utf-8")
    sizes = ["--predict-size", "32", "--train-size", "32", "--train-clips", "1", "--runs", "1", "--precisions", "fp32"]
    assert main(["model", "--config", str(config), *sizes]) == 0
    printed = capsys.readouterr().out
    assert "multiply-adds, G" in printed and "training step, fp32" in printed
    assert "dropped" not in printed and "bf16" not in printed


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["model", "--runs", "0"])
    assert "--runs is 0; give 1 or more" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["model", "--predict-size", "0"])
    assert "a batch needs 1 or more clips of 32 or more pixels" in capsys.readouterr().err
