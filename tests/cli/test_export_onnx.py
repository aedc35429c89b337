"""export_onnx.py; the export itself is tested in tests/models/test_export_onnx.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli.export_onnx import main
from avdet.config import Config
from avdet.models import export_onnx
from avdet.models.action_model import ActionModel
from avdet.models.export_onnx import OnnxInputs
from tests.cli.refusal import refusal
from tests.conftest import REPOSITORY
from tests.inference.tiny_classifier import EPIC_SETS, save_tiny_classifier
from tests.inference.tiny_detector import save_tiny_detector

METADATA: dict[str, str] = {}


@pytest.fixture
def stubbed_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the export, which takes half a minute, by a file without content."""

    def write(model: ActionModel, example: OnnxInputs, path: Path, *, notes: Mapping[str, str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        METADATA.update(notes)

    monkeypatch.setattr(export_onnx, "require_onnx", lambda: None)
    monkeypatch.setattr(export_onnx, "export_onnx", write)


def run_with_error(monkeypatch: pytest.MonkeyPatch, checkpoint: str, error: float) -> None:
    """Makes ONNX Runtime's scores those of PyTorch plus `error`."""
    from avdet.inference.load_network import load_network

    model = load_network(checkpoint, device="cpu", precision="float32").model

    def run(path: Path, inputs: OnnxInputs) -> NDArray[np.float32]:
        return export_onnx.run_torch(model, inputs) + np.float32(error)

    monkeypatch.setattr(export_onnx, "run_onnx", run)


@pytest.mark.usefixtures("stubbed_export")
def test_metadata_and_comparison(
    action_checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_with_error(monkeypatch, action_checkpoint, 1e-4)
    output = tmp_path / "out" / "model.onnx"
    assert main(["--checkpoint", action_checkpoint, "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    assert "inputs: frames, boxes_px, box_clip, audio, has_audio\n" in printed
    assert "ONNX Runtime and PyTorch differ by at most 1.0e-04 in 4 trials" in printed
    names = load_checkpoint(Path(action_checkpoint)).class_names
    assert json.loads(METADATA["classes"]) == {str(action_id): name for action_id, name in names.items()}
    assert json.loads(METADATA["clip"])["short_side_px"] == 48


@pytest.mark.usefixtures("stubbed_export")
def test_the_metadata_of_a_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_tiny_classifier(tmp_path / "epic.pt", "epic", EPIC_SETS)
    run_with_error(monkeypatch, str(checkpoint), 0.0)
    assert main(["--checkpoint", str(checkpoint), "--output", str(tmp_path / "model.onnx")]) == 0
    assert "inputs: frames, audio, has_audio\n" in capsys.readouterr().out
    expected = {name: dict(zip("012", labels, strict=False)) for name, labels in EPIC_SETS.items()}
    assert json.loads(METADATA["classes"]) == expected


@pytest.mark.usefixtures("stubbed_export")
def test_different_scores_are_an_error(
    action_checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_with_error(monkeypatch, action_checkpoint, 0.01)
    argv = ["--checkpoint", action_checkpoint, "--output", str(tmp_path / "model.onnx"), "--without-audio"]
    assert "differ from PyTorch's by more than 0.001" in refusal(main, capsys, *argv)


@pytest.mark.slow
def test_the_exported_file(tiny_config: Config, tmp_path: Path) -> None:
    """In a separate process, because the exporter writes thousands of log records."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    shallow = tiny_config.model.model_copy(update={"stage_blocks": (1, 1, 1, 1)})
    checkpoint = save_tiny_detector(tmp_path / "best.pt", tiny_config.model_copy(update={"model": shallow}))
    output = tmp_path / "model.onnx"
    script = REPOSITORY / "tools" / "export_onnx.py"
    argv = [sys.executable, str(script), "--checkpoint", str(checkpoint), "--output", str(output)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "scores of ONNX Runtime and PyTorch differ by" in done.stdout
    metadata = {entry.key: json.loads(entry.value) for entry in onnx.load(output).metadata_props}
    assert metadata["clip"]["short_side_px"] == 48 and metadata["clip"]["span_frames"] == shallow.span_frames


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    missing = ["--checkpoint", tmp_path / "no.pt"]
    assert "There is no checkpoint at" in refusal(main, capsys, *missing, "--output", tmp_path / "m.onnx")
    assert "is a folder" in refusal(main, capsys, *missing, "--output", tmp_path)
