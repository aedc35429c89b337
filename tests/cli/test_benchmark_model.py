from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from avdet.cli.benchmark import main
from avdet.cli.benchmark_model import Mode, count, measure, operations, product_tflops
from avdet.settings import Config, ModelConfig
from tests.models.tiny import tiny_config


def test_counts_by_part_are_the_reference_s() -> None:
    """Of the authors' code, in millions; the multiply-adds of 41.82 M parameters add up to 39.6 G."""
    counts = count(ModelConfig(), 256)
    expected = {"Slow": 32.78, "Fast": 0.51, "Audio": 6.12, "F->S": 0.21, "sound's fusion": 0.86, "head": 1.33}
    assert {part: millions for part, (millions, _) in counts.items()} == pytest.approx(expected, abs=0.006)
    assert sum(billions for _, billions in counts.values()) == pytest.approx(39.6, abs=0.05)
    assert counts["Slow"][1] > counts["Fast"][1] > counts["Audio"][1] > 1 > counts["head"][1] > 0


def test_operations_of_a_run() -> None:
    model = ModelConfig()
    forward, step, dropped = (
        operations(model, Mode(what, "fp32", 2, 64, dropped))
        for what, dropped in (("prediction", False), ("training step", False), ("training step", True))
    )
    parts = count(model, 64)
    assert forward == pytest.approx(4e9 * sum(billions for _, billions in parts.values()))
    assert step == 3 * forward
    assert step - dropped == pytest.approx(12e9 * (parts["Audio"][1] + parts["sound's fusion"][1]))
    assert product_tflops(torch.float32, runs=1) > 0


def test_measures_in_a_process_of_its_own() -> None:
    timing = measure(tiny_config(), Mode("training step", "bf16", 2, 32), runs=2)
    assert timing.median_s >= timing.least_s > 0 and timing.peak_gb > 0.05


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(yaml.safe_dump(Config(model=tiny_config(audio=False)).model_dump(mode="json")), encoding="utf-8")
    sizes = ["--predict-size", "32", "--train-size", "32", "--train-clips", "1", "--runs", "1", "--precisions", "fp32"]
    assert main(["model", "--config", str(recipe), *sizes]) == 0
    printed = capsys.readouterr().out
    assert "multiply-adds, G" in printed and "training step, fp32" in printed
    assert "dropped" not in printed and "bf16" not in printed


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["model", "--runs", "0"])
    assert "--runs 0 leaves nothing to measure" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["model", "--predict-size", "0"])
    assert "a net sees 1 clip or more of 32 pixels or more" in capsys.readouterr().err
