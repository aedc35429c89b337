from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.cli import export_onnx
from avdet.config import Config
from avdet.models.build import build_model
from tests.conftest import REPOSITORY

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


def test_a_checkpoint_becomes_a_file_that_is_compared(tiny_config: Config, tmp_path: Path) -> None:
    """In a process of its own: here the exporter's thousands of log lines would be kept."""
    torch.manual_seed(0)
    classes = tiny_config.detection_dataset().class_names()
    shallow = tiny_config.model.model_copy(update={"stage_blocks": (1, 1, 1, 1)})
    tiny_config = tiny_config.model_copy(update={"model": shallow})
    model = build_model(tiny_config.model, num_classes=len(classes), head="roi")
    save_checkpoint(
        tmp_path / "best.pt",
        model_state=model.state_dict(),
        config=tiny_config.model_dump(mode="json"),
        class_names=classes.label_map,
    )
    output = tmp_path / "out" / "model.onnx"
    argv = ["--checkpoint", str(tmp_path / "best.pt"), "--output", str(output)]
    script = REPOSITORY / "tools" / "export_onnx.py"
    done = subprocess.run([sys.executable, script, *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.replace("\n", " ")
    assert "inputs: frames, boxes_px, box_clip, audio, has_audio scores of ONNX Runtime and PyTorch differ by" in said
    notes = {one.key: json.loads(one.value) for one in onnx.load(output).metadata_props}
    assert notes["classes"] == {str(action_id): name for action_id, name in classes.label_map.items()}
    assert notes["clip"]["short_side_px"] == 48 and notes["clip"]["span_frames"] == tiny_config.model.span_frames


def test_a_missing_checkpoint_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        export_onnx.main(["--checkpoint", str(tmp_path / "no.pt"), "--output", str(tmp_path / "m.onnx")])
    assert stop.value.code == 2
    assert "There is no checkpoint at" in capsys.readouterr().err


def test_where_to_write_is_looked_at_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        export_onnx.main(["--checkpoint", str(tmp_path / "no.pt"), "--output", str(tmp_path)])
    assert stop.value.code == 2 and "is a folder" in capsys.readouterr().err
