"""The ONNX file gives the model's scores for other numbers of clips and boxes and other sizes than it was made with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.export import OPSET, Exported, OnnxInputs, export_onnx, random_inputs, run_onnx, run_torch
from tests.models.tiny import AUDIO_FRAMES, MEL_BINS, shake, tiny_config

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


def _inputs(clips: int, boxes: int, size_px: tuple[int, int], *, seed: int = 0) -> OnnxInputs:
    audio = (AUDIO_FRAMES, MEL_BINS)
    return random_inputs(clips=clips, boxes=boxes, frames=4, size_px=size_px, audio=audio, seed=seed)


@pytest.mark.parametrize("fusion", ["a_to_fs", "a_to_f_to_s", "nonlocal"])
def test_what_is_exported_gives_the_model_s_scores(fusion: str) -> None:
    """Before ONNX: sound goes through a gate there, and clips are left out in the model."""
    model = shake(build_model(tiny_config(fusion=fusion), num_classes=3, head="roi", exclusive=[(0, 2)])).eval()
    assert isinstance(model, ActionModel)
    inputs = _inputs(3, 5, (48, 32))
    with torch.inference_mode():
        scores = Exported(model).eval()(**inputs.named())
        np.testing.assert_allclose(scores, run_torch(model, inputs), atol=2e-6)
        deaf = OnnxInputs(inputs.frames, inputs.boxes_px, inputs.box_clip)
        np.testing.assert_allclose(Exported(model).eval()(**deaf.named()), run_torch(model, deaf), atol=2e-6)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ActionModel, Path]:
    """Two classes exclude one another, so that sigmoid and softmax are both in it."""
    torch.manual_seed(0)
    model = build_model(tiny_config(), num_classes=3, head="roi", exclusive=[(0, 2)])
    shake(model)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(model.eval(), _inputs(2, 3, (48, 64)), path, notes={"classes": "sit"})
    return model, path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clips", "boxes", "size_px"), [(1, 1, (32, 32)), (3, 7, (64, 48)), (2, 4, (40, 90)), (2, 0, (32, 48))]
)
def test_scores_are_torch_s(
    exported: tuple[ActionModel, Path], clips: int, boxes: int, size_px: tuple[int, int]
) -> None:
    """Every second clip is without sound."""
    model, path = exported
    inputs = _inputs(clips, boxes, size_px, seed=clips)
    scores = run_onnx(path, inputs)
    assert scores.shape == (boxes, 3)
    np.testing.assert_allclose(scores, run_torch(model, inputs), atol=2e-6)
    np.testing.assert_allclose(scores[:, [0, 2]].sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.slow
def test_sound_has_a_say_only_where_it_is(exported: tuple[ActionModel, Path]) -> None:
    _, path = exported
    inputs = _inputs(2, 6, (48, 48))
    assert inputs.audio is not None
    other = OnnxInputs(
        inputs.frames, inputs.boxes_px, inputs.box_clip, torch.flip(inputs.audio, (2,)), inputs.has_audio
    )
    moved = np.abs(run_onnx(path, inputs) - run_onnx(path, other)).max(axis=1)
    heard = inputs.box_clip.numpy() == 0
    assert (moved[heard] > 1e-4).all() and (moved[~heard] == 0).all() and heard.any() and (~heard).any()


@pytest.mark.slow
def test_the_file_is_valid_and_says_what_it_is(exported: tuple[ActionModel, Path]) -> None:
    _, path = exported
    file = onnx.load(path)
    onnx.checker.check_model(file)
    assert [(one.domain, one.version) for one in file.opset_import] == [("", OPSET)]
    assert {one.key: one.value for one in file.metadata_props}["classes"] == "sit"
    assert "RoiAlign" in {node.op_type for node in file.graph.node}
    assert [one.name for one in path.parent.iterdir()] == ["model.onnx"]


def test_random_boxes_lie_in_the_picture() -> None:
    inputs = _inputs(2, 50, (30, 90))
    x1, y1, x2, y2 = inputs.boxes_px.unbind(1)
    assert (x1 <= x2).all() and (y1 <= y2).all() and x2.max() <= 90 and y2.max() <= 30 and x2.max() > 31
