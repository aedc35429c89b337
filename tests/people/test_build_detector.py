from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.people.box_table_detector import BoxTableDetector
from avdet.people.build_detector import (
    DETECTORS,
    build_person_detector,
    build_trainable_detector,
    default_min_score,
    save_person_detector,
)
from avdet.people.person_detector import MIN_SCORES
from avdet.people.tiny_rcnn import tiny_rcnn
from avdet.people.torchvision_rcnn import TorchvisionRCNN
from tests.people.scenes import scene

HAS_DETECTRON2 = importlib.util.find_spec("detectron2") is not None


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "people.pt"
    save_person_detector(path, build_trainable_detector("torchvision", device="cpu", sample=True))
    return path


def test_a_saved_detector_determines_name_and_model(saved: Path) -> None:
    torch.manual_seed(0)
    original = build_trainable_detector("torchvision", model="tiny", device="cpu")
    for name in (None, "torchvision"):
        again = build_person_detector(name, weights=saved, device="cpu")
        assert isinstance(again, TorchvisionRCNN) and again.model == "tiny"
        assert torch.equal(again([scene(0)[0]])[0].boxes, original([scene(0)[0]])[0].boxes)
    trainable = build_trainable_detector(weights=saved, device="cpu")
    assert trainable.model_config == {"detector": "torchvision", "model": "tiny"}


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"model": state, "epoch": 3}])
def test_torchvision_state_dicts_are_read(tmp_path: Path, wrap: object) -> None:
    assert callable(wrap)
    network = tiny_rcnn(91)
    torch.save(wrap(network.state_dict()), tmp_path / "model.pth")
    detector = build_person_detector("torchvision", model="tiny", weights=tmp_path / "model.pth", device="cpu")
    assert isinstance(detector, TorchvisionRCNN)
    assert torch.equal(next(detector.module.parameters()), next(network.parameters()))


def test_tables_become_box_table_detectors(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("scene,0,0.1,0.1,0.5,0.5,0.9\n")
    (tmp_path / "gt.csv").write_text("scene,0,0.1,0.1,0.5,0.5,12,3\nscene,0,0.1,0.1,0.5,0.5,80,3\n")
    for name, file in (("csv", "boxes.csv"), ("ground_truth", "gt.csv")):
        detector = build_person_detector(name, weights=tmp_path / file)
        assert isinstance(detector, BoxTableDetector)
        assert len(detector([scene(0)[0]])[0]) == 1
        assert detector.min_score == default_min_score(name, tmp_path / file)


def test_wrong_arguments_are_explained(saved: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "action.pt", model_state={}, config={"model": {}}, class_names={1: "sit"})
    torch.save([1, 2], tmp_path / "list.pt")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"name": "yolo"}, "'yolo' is not a person detector; choose from detectron2, torchvision"),
        ({"name": "csv"}, "give it with --weights"),
        ({"name": "csv", "weights": tmp_path / "boxes.csv", "person_class": "dog"}, "holds no classes"),
        ({"weights": saved, "person_class": "dog"}, "no class 'dog'; give --person-class one of person"),
        ({"name": "csv", "weights": saved}, "is a torchvision detector, not a csv one"),
        ({"name": "torchvision", "model": "vgg"}, "choose from resnet50, mobilenet, tiny"),
        ({"name": "torchvision", "weights": tmp_path / "none.pt"}, "no checkpoint at"),
        ({"name": "torchvision", "weights": tmp_path / "list.pt"}, "holds no state dict"),
        ({"name": "torchvision", "weights": tmp_path / "action.pt"}, "is an action detector"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            build_person_detector(**arguments)
    with pytest.raises(ValueError, match=r"choose from detectron2, torchvision$"):
        build_trainable_detector("csv")


@pytest.mark.skipif(HAS_DETECTRON2, reason="Detectron2 is installed")
def test_missing_detectron2_is_explained() -> None:
    page = r"https://detectron2\.readthedocs\.io"
    with pytest.raises(ValueError, match=rf"is not installed; install it \({page}.* --person-detector torchvision"):
        build_person_detector("detectron2")


@pytest.mark.skipif(HAS_DETECTRON2, reason="Detectron2 is installed")
def test_torchvision_replaces_a_missing_detectron2(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert isinstance(build_trainable_detector(model="tiny", device="cpu"), TorchvisionRCNN)
    assert "detecting persons with torchvision's Faster R-CNN" in caplog.text


@pytest.mark.parametrize(("device", "message"), [("gpu", "is not a device"), ("cuda:99", "does not exist: torch sees")])
def test_a_missing_device_is_explained(device: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_trainable_detector("torchvision", model="tiny", device=device)


def test_every_detector_has_a_default_threshold(saved: Path) -> None:
    assert MIN_SCORES.keys() >= DETECTORS.keys()
    assert build_person_detector(weights=saved, device="cpu").min_score == default_min_score(None, saved) == 0.8
