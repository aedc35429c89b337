"""Checkpoints of other code bases: recognised, converted with all their settings, refused, and run as the originals."""

from __future__ import annotations

import json
import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from avdet import ActionDetector
from avdet.checkpoints.checkpoint_io import CheckpointError, load_checkpoint
from avdet.checkpoints.convert import from_reference
from avdet.checkpoints.third_party import load_any_checkpoint, read_third_party
from avdet.cli.convert_checkpoint import main
from avdet.config import parse_config
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.drop_pathway import no_audio
from tests.checkpoints.reference_names import (
    AVA_CONFIG,
    SLOW_CONFIG,
    caffe2,
    gluoncv,
    mmaction2,
    pytorchvideo,
    slow,
    slowfast,
    slowonly,
)
from tests.models.golden import GOLDEN, listed_state, recipe
from tests.shared import needs_shared

MMACTION2_CONFIG = """
resample_rate=2, speed_ratio=2, output_size=8
dict(type='SampleAVAFrames', clip_len=4, frame_interval=3)
"""


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_every_form_of_pyslowfasts_file_gives_the_same_weights(tmp_path: Path) -> None:
    """With its config, without it, as a raw state dict, and with the prefixes of DataParallel and Lightning."""
    state = slowfast()
    forms: list[dict[str, Any]] = [
        {"model_state": state, "cfg": AVA_CONFIG},
        {"model_state": {f"module.{name}": x for name, x in state.items()}},
        {"state_dict": {f"model.{name}": x for name, x in state.items()}, "epoch": 3},
        dict(state),
    ]
    for form in forms:
        converted = read_third_party(save(tmp_path / "file.pyth", form))
        assert converted.code_base == "PySlowFast"
        assert converted.has_all_settings is ("cfg" in form)
        assert_equal_states(converted.model_state, from_reference(state))


def assert_equal_states(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in actual.items())


@pytest.mark.parametrize("detector", [False, True])
def test_pytorchvideos_tensors_are_all_renamed(tmp_path: Path, detector: bool) -> None:
    path = save(tmp_path / "file.pyth", {"model_state": pytorchvideo(slowfast(), detector=detector)})
    converted = read_third_party(path)
    assert_equal_states(converted.model_state, from_reference(slowfast()))
    assert converted.settings["data"]["kind"] == ("ava" if detector else "kinetics")
    assert converted.settings["model"].get("roi_aligned") is (False if detector else None)
    with pytest.raises(CheckpointError, match="does not contain the number of input frames"):
        load_any_checkpoint(path)  # none of the published architectures
    assert load_any_checkpoint(path, needs_settings=False).config == {}


@pytest.mark.parametrize("detector", [False, True])
def test_mmaction2s_tensors_are_all_renamed(tmp_path: Path, detector: bool) -> None:
    """The clip head's inputs are reordered, the box head's row of the background is dropped."""
    content = {"meta": {"cfg": MMACTION2_CONFIG}, "state_dict": mmaction2(slowfast(), detector=detector)}
    checkpoint = load_any_checkpoint(save(tmp_path / "file.pth", content))
    expected = {name: x for name, x in from_reference(slowfast()).items() if "fast_to_slow.conv.norm" not in name}
    assert_equal_states(checkpoint.model_state, expected)
    config = parse_config(checkpoint.config)
    model = config.model
    assert (model.slow_frames, model.slow_stride, model.alpha, model.slow_sampling) == (2, 6, 2, "stride")
    assert (model.fast_to_slow_norm, model.pixel_mean, model.pixel_std[0]) == (False, (0.485, 0.456, 0.406), 0.229)
    assert checkpoint.class_names == (
        {1: "class 1", 2: "class 2", 3: "class 3"} if detector else dict(enumerate(("class 0", "class 1", "class 2")))
    )
    assert config.data.kind == ("ava" if detector else "kinetics")
    if detector:
        assert (model.roi_resolution, model.roi_aligned, model.res5_dilation) == (8, True, 1)


def test_gluoncvs_tensors_are_all_renamed(tmp_path: Path) -> None:
    """T and tau follow from the file's name; none of the published networks has the tiny one's."""
    path = save(tmp_path / "slowfast_4x16_resnet50_kinetics400-1d1eadb2.pth", gluoncv(slowfast()))
    checkpoint = load_any_checkpoint(path)
    assert_equal_states(checkpoint.model_state, from_reference(slowfast()))
    config = parse_config(checkpoint.config)
    model = config.model
    assert (model.slow_frames, model.slow_stride, model.alpha, model.slow_sampling) == (4, 16, 8, "stride")
    assert (model.pixel_mean, model.pixel_std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (config.data.kind, config.data.train_crop) == ("kinetics", 256)
    with pytest.raises(CheckpointError, match="does not contain the number of input frames"):
        load_any_checkpoint(save(tmp_path / "best.pth", gluoncv(slowfast())))
    with pytest.raises(CheckpointError, match=r"slow_res2\.0\.se\.weight"):
        load_any_checkpoint(save(tmp_path / "se.pth", {**gluoncv(slowfast()), "slow_res2.0.se.weight": torch.ones(1)}))


def test_the_slow_pathway_alone(tmp_path: Path) -> None:
    """PySlowFast's SLOW_8x8_R50 and PyTorchVideo's slow_r50; ALPHA has no meaning in the config."""
    path = save(tmp_path / "SLOW.pyth", {"model_state": slow(), "cfg": SLOW_CONFIG})
    config = parse_config(load_any_checkpoint(path).config)
    model = config.model
    assert (model.pathways, model.slow_frames, model.slow_stride, model.clip_frames) == (("slow",), 2, 8, 2)
    assert config.data.kind == "kinetics"
    assert main([str(path), str(tmp_path / "out.pt")]) == 0
    for detector in (False, True):
        file = save(tmp_path / "slow_r50.pyth", {"model_state": pytorchvideo(slow(), detector=detector)})
        assert_equal_states(read_third_party(file).model_state, from_reference(slow()))


def test_one_pathway_that_is_not_slow_is_refused(tmp_path: Path) -> None:
    """C2D has no temporal kernels in res4 and res5."""
    name = "s5.pathway0_res0.branch2.a.weight"
    c2d = {**slow(), name: slow()[name][:, :, :1]}
    with pytest.raises(CheckpointError, match=r"temporal kernels \[1, 1, 1, 3, 1\] .* not C2D or I3D"):
        load_any_checkpoint(save(tmp_path / "C2D.pyth", {"model_state": c2d, "cfg": SLOW_CONFIG}))


@pytest.mark.parametrize("detector", [False, True])
def test_slowonly_has_its_frames_in_the_config_or_in_the_name(tmp_path: Path, detector: bool) -> None:
    state = slowonly(detector=detector)
    meta = {"cfg": "dict(type='SampleFrames', clip_len=2, frame_interval=12)"}
    named = save(tmp_path / "slowonly_r50_8xb16-4x16x1-256e_kinetics400-rgb.pth", {"state_dict": state})
    stated = save(tmp_path / "slowonly_8x8x1.pth", {"state_dict": state, "meta": meta})
    for path, frames, stride in ((named, 4, 16), (stated, 2, 12)):
        assert_equal_states(read_third_party(path).model_state, from_reference(slow()))
        config = parse_config(load_any_checkpoint(path).config)
        model = config.model
        assert (model.pathways, model.slow_frames, model.slow_stride, model.alpha) == (("slow",), frames, stride, 1)
        assert config.data.kind == ("ava" if detector else "kinetics")
    with pytest.raises(CheckpointError, match="does not contain the number of input frames"):
        load_any_checkpoint(save(tmp_path / "renamed.pth", {"state_dict": state}))


def test_networks_of_one_pathway_that_are_not_slowonly_are_refused(tmp_path: Path) -> None:
    state = slowonly()
    cases = [
        ({"backbone.conv1.conv.weight": torch.zeros(8, 3, 7, 7)}, r"\[7, 1, 1, 3, 3\] in conv1"),  # TSN
        ({"backbone.conv1.conv.weight": torch.zeros(8, 3, 5, 7, 7)}, r"\[5, 1, 1, 3, 3\] in conv1"),  # I3D
        ({"neck.level_fusion_1.weight": torch.zeros(1)}, r"holds neck\.level_fusion_1\.weight"),  # TPN
    ]
    for changed, message in cases:
        with pytest.raises(CheckpointError, match=message):
            load_any_checkpoint(save(tmp_path / "other_4x16x1.pth", {"state_dict": state | changed}))
    with pytest.raises(CheckpointError, match=r"classes exclude one another \(MultiSports\)"):
        load_any_checkpoint(save(tmp_path / "slowonly-4x16x1-8e_multisports-rgb.pth", {"state_dict": state}))


def test_a_detector_takes_a_file_as_it_is(tmp_path: Path) -> None:
    path = save(tmp_path / "AVA.pyth", {"model_state": slowfast(), "cfg": AVA_CONFIG})
    detector = ActionDetector.from_checkpoint(path, device="cpu")
    assert main([str(path), str(tmp_path / "AVA.pt")]) == 0
    converted = ActionDetector.from_checkpoint(tmp_path / "AVA.pt", device="cpu")
    assert detector.short_side == converted.short_side == 224
    assert detector.classes.ids == converted.classes.ids == (1, 2, 3)
    models = [other.model for other in (detector, converted)]
    assert all(isinstance(model, ActionModel) for model in models)
    states = [model.state_dict() for model in models if isinstance(model, ActionModel)]
    assert_equal_states(*states)
    model = parse_config(load_checkpoint(tmp_path / "AVA.pt").config).model
    assert (model.roi_aligned, model.roi_resolution, model.channel_order) == (False, 5, "bgr")


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    text = AVA_CONFIG.replace("ENABLE: true", "ENABLE: false").replace("sigmoid", "softmax")
    path = save(tmp_path / "K400.pyth", {"model_state": slowfast(), "cfg": text})
    with pytest.raises(ValueError, match=r"K400\.pyth classifies whole clips \(kinetics\) and detects no persons"):
        ActionDetector.from_checkpoint(path)


def test_files_without_settings_initialise_a_model_only(tmp_path: Path) -> None:
    path = tmp_path / "c2.pkl"
    path.write_bytes(pickle.dumps({"blobs": {name: x.numpy() for name, x in caffe2(slowfast()).items()}}, protocol=2))
    assert len(load_any_checkpoint(path, needs_settings=False).class_names) == 3
    with pytest.raises(CheckpointError, match="does not contain the number of input frames; convert it with"):
        load_any_checkpoint(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("roi_head.shared_head.fbo.weight", r"shared head \(LFB or ACRN\), which avdet does not have"),
        ("backbone.slow_path.layer1_lateral.bn.weight", r"holds backbone\.slow_path\.layer1_lateral\.bn\.weight"),
    ],
)
def test_parts_that_avdet_lacks_are_refused_by_name(tmp_path: Path, name: str, message: str) -> None:
    state = {**mmaction2(slowfast(), detector=True), name: torch.zeros(1)}
    with pytest.raises(CheckpointError, match=message) as error:
        read_third_party(save(tmp_path / "file.pth", {"state_dict": state}))
    assert str(error.value).startswith(f"{tmp_path}/file.pth") and "\n" not in str(error.value)


def test_a_head_with_global_context_or_max_over_time_is_refused(tmp_path: Path) -> None:
    state = mmaction2(slowfast(), detector=True)
    wide = state | {"roi_head.bbox_head.fc_cls.weight": torch.zeros(4, 2 * 288)}
    with pytest.raises(CheckpointError, match=r"classifier has 576 inputs instead of 288, such as .* global context"):
        read_third_party(save(tmp_path / "context.pth", {"state_dict": wide}))
    content = {"meta": {"config": "temporal_pool_mode='max'"}, "state_dict": state}
    for name in ("plain.pth", "slowfast-temporal-max.pth"):
        with pytest.raises(CheckpointError, match="temporal_pool_mode is max"):
            read_third_party(save(tmp_path / name, content if name == "plain.pth" else {"state_dict": state}))


class Stranger(dict):  # type: ignore[type-arg]
    """Pickles as an object of a module that is not installed, with state and items."""

    def touch(self) -> None:
        Path("owned").touch()


class RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch owned",)


@pytest.mark.parametrize("legacy", [False, True])
def test_mmengine_objects_are_stepped_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("mmengine.config")
    module.Stranger = Stranger  # type: ignore[attr-defined]
    with monkeypatch.context() as installed:
        installed.setitem(sys.modules, "mmengine", types.ModuleType("mmengine"))
        installed.setitem(sys.modules, "mmengine.config", module)
        installed.setattr(Stranger, "__module__", "mmengine.config")
        stranger = Stranger(key="value")
        stranger.attribute = [1]  # type: ignore[attr-defined]
        meta = {"cfg": MMACTION2_CONFIG, "dataset_meta": stranger, "hook": stranger.touch}
        content = {"meta": meta, "state_dict": mmaction2(slowfast())}
        torch.save(content, "file.pth", _use_new_zipfile_serialization=not legacy)
    checkpoint = load_any_checkpoint(Path("file.pth"))
    assert parse_config(checkpoint.config).model.slow_stride == 6 and not Path("owned").exists()
    torch.save({"meta": RunsCode(), "state_dict": mmaction2(slowfast())}, "evil.pth")
    with pytest.raises(CheckpointError, match=r"it names \w+\.system and might run code"):
        load_any_checkpoint(Path("evil.pth"))
    assert not Path("owned").exists()


@needs_shared
@pytest.mark.parametrize(
    "name", [pytest.param("ptv_slowfast_r50", marks=pytest.mark.slow), "mma_slowfast_r50_8x8_k400"]
)
def test_converted_classifiers_answer_as_the_originals(tmp_path: Path, name: str) -> None:
    expected = json.loads((GOLDEN / "peers.json").read_text())[name]
    path = save(tmp_path / f"{name}.pth", {"state_dict": listed_state(f"{name}.keys.txt")})
    assert main([str(path), str(tmp_path / "out.pt")]) == 0
    checkpoint = load_checkpoint(tmp_path / "out.pt")
    config = parse_config(checkpoint.config)
    model = build_model(config.model, num_classes=400, head="clip", crop_px=config.data.train_crop)
    model.load_state_dict(checkpoint.model_state)
    with torch.no_grad():
        features = model.eval().backbone(golden_frames(expected), no_audio(torch.device("cpu")))
        logits = model.head(features, 1)["action"][:, 0]
    assert (logits - torch.tensor(expected["logits"])).abs().max() <= 1e-3


@needs_shared
@pytest.mark.parametrize(
    "name", ["ptv_slowfast_r50_detection", pytest.param("mma_slowfast_r50_8x8_ava", marks=pytest.mark.slow)]
)
def test_detectors_answer_as_the_originals(tmp_path: Path, name: str) -> None:
    expected = json.loads((GOLDEN / "peers.json").read_text())[name]
    path = save(tmp_path / f"{name}.pth", {"state_dict": listed_state(f"{name}.keys.txt")})
    model = ActionDetector.from_checkpoint(path, device="cpu").model
    assert isinstance(model, ActionModel)
    rois = torch.from_numpy(recipe().boxes(2, 224))
    with torch.no_grad():
        features = model.backbone(golden_frames(expected), no_audio(rois.device))
        logits = model.head(features, 2, rois[:, 1:], rois[:, 0].long())["action"]
    answers = torch.tensor(expected["logits"]) if "logits" in expected else torch.tensor(expected["logits81"])[:, 1:]
    assert (logits - answers).abs().max() <= 1e-3


def golden_frames(expected: dict[str, Any]) -> Tensor:
    size = expected["size"]
    return torch.from_numpy(recipe().array("fast", (expected["batch"], 3, expected["frames"], size, size)))
