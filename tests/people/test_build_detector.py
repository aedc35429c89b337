from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.people.box_table_detector import TableBoxes
from avdet.people.build_detector import build_person_detector, build_trainable, save_person_detector
from avdet.people.tiny_rcnn import tiny_rcnn
from avdet.people.torchvision_rcnn import TorchvisionRCNN
from tests.people.scenes import scene

HAS_DETECTRON2 = importlib.util.find_spec("detectron2") is not None


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "people.pt"
    save_person_detector(path, build_trainable("torchvision", device="cpu", sample=True))
    return path


def test_a_saved_detector_says_itself_what_it_is(saved: Path) -> None:
    torch.manual_seed(0)
    original = build_trainable("torchvision", model="tiny", device="cpu")
    for name in (None, "torchvision"):
        again = build_person_detector(name, weights=saved, device="cpu")
        assert isinstance(again, TorchvisionRCNN) and again.model == "tiny"
        assert torch.equal(again([scene(0)[0]])[0].boxes, original([scene(0)[0]])[0].boxes)
    assert build_trainable(weights=saved, device="cpu").recipe == {"detector": "torchvision", "model": "tiny"}


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"model": state, "epoch": 3}])
def test_torchvisions_own_files_are_read(tmp_path: Path, wrap: object) -> None:
    assert callable(wrap)
    network = tiny_rcnn(91)
    torch.save(wrap(network.state_dict()), tmp_path / "model.pth")
    detector = build_person_detector("torchvision", model="tiny", weights=tmp_path / "model.pth", device="cpu")
    assert isinstance(detector, TorchvisionRCNN)
    assert torch.equal(next(detector.module.parameters()), next(network.parameters()))


def test_tables_are_detectors(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("scene,0,0.1,0.1,0.5,0.5,0.9\n")
    (tmp_path / "gt.csv").write_text("scene,0,0.1,0.1,0.5,0.5,12,3\nscene,0,0.1,0.1,0.5,0.5,80,3\n")
    for name, file in (("csv", "boxes.csv"), ("ground_truth", "gt.csv")):
        detector = build_person_detector(name, weights=tmp_path / file)
        assert isinstance(detector, TableBoxes)
        assert len(detector([scene(0)[0]])[0]) == 1


def test_what_does_not_fit_is_said_in_one_sentence(saved: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "action.pt", model_state={}, config={"model": {}}, class_names={1: "sit"})
    torch.save([1, 2], tmp_path / "list.pt")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"name": "yolo"}, "'yolo' is no person detector; known are detectron2, torchvision"),
        ({"name": "csv"}, "give it with --weights"),
        ({"name": "csv", "weights": saved}, "is a detector of torchvision, not of csv"),
        ({"name": "torchvision", "model": "vgg"}, "known are resnet50, mobilenet, tiny"),
        ({"name": "torchvision", "weights": tmp_path / "none.pt"}, "no checkpoint at"),
        ({"name": "torchvision", "weights": tmp_path / "list.pt"}, "holds no state dict"),
        ({"name": "torchvision", "weights": tmp_path / "action.pt"}, "is a detector of actions"),
    ]
    for wanted, sentence in cases:
        with pytest.raises(ValueError, match=r".") as refused:
            build_person_detector(**wanted)
        assert sentence in str(refused.value)
    with pytest.raises(ValueError, match=r"known are detectron2, torchvision$"):
        build_trainable("csv")


@pytest.mark.skipif(HAS_DETECTRON2, reason="Detectron2 is installed")
def test_without_detectron2_one_sentence_says_what_to_do() -> None:
    with pytest.raises(
        ValueError, match=r"is not installed; https://detectron2.readthedocs.io.* --detector torchvision"
    ):
        build_person_detector("detectron2")


@pytest.mark.skipif(HAS_DETECTRON2, reason="Detectron2 is installed")
def test_without_detectron2_torchvision_is_taken_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert isinstance(build_trainable(model="tiny", device="cpu"), TorchvisionRCNN)
    assert "so people are found with torchvision's Faster R-CNN" in caplog.text


@pytest.mark.parametrize(("device", "sentence"), [("gpu", "is no device"), ("cuda:99", "is not there: torch sees")])
def test_a_device_that_is_not_there_is_said(device: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build_trainable("torchvision", model="tiny", device=device)
