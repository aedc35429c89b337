"""test_net.py on a checkpoint of a tiny run."""

from __future__ import annotations

from pathlib import Path

import pytest

from avdet.cli.test_net import main
from tests.cli.refusal import refusal
from tests.inference.tiny_classifier import save_tiny_classifier


def argv(run: Path, output: Path) -> list[str]:
    checkpoint = run / "checkpoints/last.pt"
    return ["--config", str(run / "config.yaml"), "--checkpoint", str(checkpoint), "--output", str(output)]


def test_the_detections_equal_those_of_the_run(trained_run: Path, tmp_path: Path) -> None:
    assert main(argv(trained_run, tmp_path / "again")) == 0
    assert (tmp_path / "again/detections.csv").read_bytes() == (trained_run / "detections.csv").read_bytes()


def test_a_checkpoint_of_other_classes_is_refused(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes, truth, boxes = tmp_path / "classes.txt", tmp_path / "val.csv", tmp_path / "boxes.csv"
    classes.write_text("juggle\nsneeze\n")
    truth.write_text("sample_val_00,2,0.1,0.1,0.5,0.9,1,0\n")
    boxes.write_text("sample_val_00,2,0.1,0.1,0.5,0.9,0.99\n")
    data = [f"data.label_map={classes}", f"data.val_csv={truth}", f"data.val_boxes={boxes}"]
    assert "trained on other classes" in refusal(main, capsys, *argv(trained_run, tmp_path / "out"), *data)


def test_a_classifier_is_refused_by_a_config_of_detection(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier = save_tiny_classifier(tmp_path / "best.pt")
    message = refusal(main, capsys, *argv(trained_run, tmp_path / "out"), "--checkpoint", classifier)
    assert "best.pt classifies clips (folders), but the config detects the actions of persons (ava)" in message
