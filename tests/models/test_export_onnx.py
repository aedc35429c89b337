"""The ONNX file gives the model's scores, also for counts and sizes that the export did not see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.export_onnx import OPSET, Exported, OnnxInputs, export_onnx, random_inputs, run_onnx, run_torch
from tests.models.tiny import AUDIO_FRAMES, MEL_BINS, shake, tiny_config

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


def _inputs(clips: int, boxes: int, size_px: tuple[int, int], *, seed: int = 0) -> OnnxInputs:
    audio = (AUDIO_FRAMES, MEL_BINS)
    return random_inputs(clips=clips, boxes=boxes, frames=4, size_px=size_px, audio=audio, seed=seed)


@pytest.mark.parametrize("fusion", ["a_to_fs", "a_to_f_to_s", "nonlocal"])
def test_the_exported_module_gives_the_models_scores(fusion: str) -> None:
    """In torch: the exported module gates audio where the model leaves clips out."""
    model = shake(build_model(tiny_config(fusion=fusion), num_classes=3, head="roi", exclusive=[(0, 2)])).eval()
    assert isinstance(model, ActionModel)
    inputs = _inputs(3, 5, (48, 32))
    with torch.inference_mode():
        (scores,) = Exported(model).eval()(**inputs.named())
        np.testing.assert_allclose(scores, run_torch(model, inputs), atol=2e-6)
        video_only = OnnxInputs(inputs.frames, inputs.boxes_px, inputs.box_clip)
        (scores,) = Exported(model).eval()(**video_only.named())
        np.testing.assert_allclose(scores, run_torch(model, video_only), atol=2e-6)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ActionModel, Path]:
    """A model with two exclusive classes, so that the file has both sigmoid and softmax."""
    torch.manual_seed(0)
    model = build_model(tiny_config(), num_classes=3, head="roi", exclusive=[(0, 2)])
    shake(model)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(model.eval(), _inputs(2, 3, (48, 64)), path, notes={"classes": "sit"})
    return model, path


def test_scores_of_an_exported_audio_only_model_are_torchs(tmp_path: Path) -> None:
    """The tests of the whole model, marked slow, wait half a minute for torch to trace its 3D convolutions."""
    model = build_model(tiny_config(audio="only"), num_classes=3, head="roi", exclusive=[(0, 2)])
    assert isinstance(model, ActionModel)
    shake(model).eval()
    export_onnx(model, _inputs(2, 3, (48, 64)), tmp_path / "model.onnx", notes={"classes": "sit"})
    inputs = _inputs(3, 7, (64, 48), seed=1)
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx", inputs), run_torch(model, inputs), atol=2e-6)
    assert {entry.value for entry in onnx.load(tmp_path / "model.onnx").metadata_props} == {"sit"}


CLASS_SETS = {"verb": 2, "noun": 3}


def _clips(count: int, *, seed: int = 0) -> OnnxInputs:
    audio = (AUDIO_FRAMES, MEL_BINS)
    return random_inputs(clips=count, boxes=None, frames=4, size_px=(64, 64), audio=audio, seed=seed)


@pytest.mark.parametrize("multilabel", [False, True])
def test_an_exported_classifier_module_gives_the_scores_of_each_class_set(multilabel: bool) -> None:
    """In torch. Frames of twice the training size have four windows."""
    model = build_model(tiny_config(), num_classes=CLASS_SETS, head="clip", multilabel=multilabel, crop_px=32)
    assert isinstance(model, ActionModel)
    shake(model).eval()
    inputs = _clips(3)
    exported = Exported(model).eval()
    with torch.inference_mode():
        scores = exported(**inputs.named())
    assert exported.outputs == ["scores_verb", "scores_noun"] and [x.shape[1] for x in scores] == [2, 3]
    np.testing.assert_allclose(torch.cat(scores, dim=1), run_torch(model, inputs), atol=2e-6)


@pytest.mark.parametrize("audio", ["only", pytest.param(True, marks=pytest.mark.slow)])
def test_scores_of_an_exported_classifier_are_torchs(tmp_path: Path, audio: object) -> None:
    model = build_model(tiny_config(audio=audio), num_classes=CLASS_SETS, head="clip", crop_px=32)
    assert isinstance(model, ActionModel)
    shake(model).eval()
    export_onnx(model, _clips(2), tmp_path / "model.onnx", notes={})
    for count in (1, 3):
        inputs = _clips(count, seed=count)
        scores = run_onnx(tmp_path / "model.onnx", inputs)
        assert scores.shape == (count, 5)
        np.testing.assert_allclose(scores, run_torch(model, inputs), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clips", "boxes", "size_px"), [(1, 1, (32, 32)), (3, 7, (64, 48)), (2, 4, (40, 90)), (2, 0, (32, 48))]
)
def test_scores_are_torchs(
    exported: tuple[ActionModel, Path], clips: int, boxes: int, size_px: tuple[int, int]
) -> None:
    """Every second clip has no audio."""
    model, path = exported
    inputs = _inputs(clips, boxes, size_px, seed=clips)
    scores = run_onnx(path, inputs)
    assert scores.shape == (boxes, 3)
    np.testing.assert_allclose(scores, run_torch(model, inputs), atol=2e-6)
    np.testing.assert_allclose(scores[:, [0, 2]].sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.slow
def test_audio_changes_the_scores_of_its_own_clip_only(exported: tuple[ActionModel, Path]) -> None:
    _, path = exported
    inputs = _inputs(2, 6, (48, 48))
    assert inputs.audio is not None
    other = OnnxInputs(
        inputs.frames, inputs.boxes_px, inputs.box_clip, torch.flip(inputs.audio, (2,)), inputs.has_audio
    )
    change = np.abs(run_onnx(path, inputs) - run_onnx(path, other)).max(axis=1)
    assert inputs.box_clip is not None
    has_audio = inputs.box_clip.numpy() == 0
    assert has_audio.any() and (change[has_audio] > 1e-4).all()
    assert (~has_audio).any() and (change[~has_audio] == 0).all()


@pytest.mark.slow
def test_the_file_is_valid_and_has_its_metadata(exported: tuple[ActionModel, Path]) -> None:
    _, path = exported
    file = onnx.load(path)
    onnx.checker.check_model(file)
    assert [(opset.domain, opset.version) for opset in file.opset_import] == [("", OPSET)]
    assert {entry.key: entry.value for entry in file.metadata_props}["classes"] == "sit"
    assert "RoiAlign" in {node.op_type for node in file.graph.node}
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]


def test_random_boxes_lie_inside_the_frame() -> None:
    inputs = _inputs(2, 50, (30, 90))
    assert inputs.boxes_px is not None
    x1, y1, x2, y2 = inputs.boxes_px.unbind(1)
    assert (x1 <= x2).all() and (y1 <= y2).all() and x2.max() <= 90 and y2.max() <= 30 and x2.max() > 31
