"""Detectron2 with random weights, so that nothing is downloaded; Detectron2's own warnings are ignored."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from avdet.people.build_detector import build_person_detector, build_trainable_detector, save_person_detector
from avdet.people.fine_tune import fine_tune
from avdet.people.person_metrics import person_metrics
from tests.people.scenes import person_boxes, scene

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("detectron2") is None, reason="Detectron2 is not installed"),
    pytest.mark.filterwarnings("ignore"),
]
CPU = torch.device("cpu")


@pytest.fixture
def backend() -> ModuleType:
    from avdet.people import detectron2_rcnn

    return detectron2_rcnn


def test_random_weights_give_valid_boxes(backend: ModuleType) -> None:
    torch.manual_seed(0)
    config = backend.detectron2_config(backend.SAMPLE_MODEL, CPU)
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
    detector = backend.detectron2_rcnn(config, None)
    images = [scene(seed)[0] for seed in range(3)]
    for found, image in zip(detector(images), images, strict=True):
        assert len(found) > 0
        assert ((found.boxes >= 0) & (found.boxes <= 1)).all()
        (single,) = detector([image])
        assert torch.allclose(found.boxes, single.boxes, atol=1e-4)


def test_a_detector_learns_bright_boxes_and_is_saved(backend: ModuleType, tmp_path: Path) -> None:
    """After these 50 steps AP50 is 1.0 for the seeds 0 to 3; without training it is at most 0.11."""
    torch.manual_seed(0)
    np.random.seed(0)  # Detectron2 draws the sizes of the training images with it
    detector = build_trainable_detector("detectron2", device="cpu", sample=True)
    images, truth = zip(*(scene(seed) for seed in range(1000, 1008)), strict=True)
    untrained = person_metrics(truth, detector(images), threshold=0.5).ap50
    batches = [[scene(4 * k + j) for j in range(4)] for k in range(5)]
    fine_tune(detector, batches, epochs=10, steps_per_epoch=5, lr=0.04)
    found = detector(images)
    trained = person_metrics(truth, found, threshold=0.5).ap50
    assert untrained is not None and trained is not None
    assert untrained < 0.3 and trained > 0.8
    save_person_detector(tmp_path / "people.pt", detector)
    again = build_person_detector(weights=tmp_path / "people.pt", device="cpu")
    for first, second in zip(found, again(images), strict=True):
        assert torch.equal(first.boxes, second.boxes)


def test_an_image_without_persons_gives_finite_losses(backend: ModuleType) -> None:
    detector = build_trainable_detector("detectron2", device="cpu", sample=True)
    losses = detector.losses([scene(0)[0], scene(1)[0]], [person_boxes(), scene(1)[1]])
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_a_person_only_head_keeps_the_persons_rows(backend: ModuleType) -> None:
    """Detectron2's last class row is the background."""
    config = backend.detectron2_config(backend.SAMPLE_MODEL, CPU)
    config.MODEL.ROI_HEADS.NUM_CLASSES = 80
    coco = backend.detectron2_rcnn(config, None)
    before = coco.module.state_dict()
    after = backend.person_only_rcnn(coco).module.state_dict()
    head = "roi_heads.box_predictor."
    assert torch.equal(after[head + "cls_score.weight"], before[head + "cls_score.weight"][[0, 80]])
    assert torch.equal(after[head + "bbox_pred.bias"], before[head + "bbox_pred.bias"][:4])


@pytest.mark.parametrize(
    "model", ["COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml", "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x.yaml"]
)
def test_zoo_configs_are_found_by_name(backend: ModuleType, model: str) -> None:
    config = backend.detectron2_config(model, CPU)
    assert config.MODEL.WEIGHTS.startswith("https://")
    assert not config.MODEL.KEYPOINT_ON and not config.MODEL.MASK_ON
    assert config.MODEL.DEVICE == "cpu"


def test_a_class_is_selected_by_name(backend: ModuleType) -> None:
    """The names are those of the data set that the config names; a dog is number 16 of COCO's 80."""
    config = backend.detectron2_config("COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml", CPU)
    sample = backend.detectron2_config(backend.SAMPLE_MODEL, CPU)
    sample.MODEL.ROI_HEADS.NUM_CLASSES, sample.DATASETS.TRAIN = 80, config.DATASETS.TRAIN
    detector = backend.detectron2_rcnn(sample, None, "dog")
    assert detector.class_id == 16
    before, after = detector.module.state_dict(), backend.person_only_rcnn(detector).module.state_dict()
    head = "roi_heads.box_predictor."
    assert torch.equal(after[head + "cls_score.weight"], before[head + "cls_score.weight"][[16, 80]])
    assert torch.equal(after[head + "bbox_pred.bias"], before[head + "bbox_pred.bias"][64:68])
    with pytest.raises(ValueError, match="no class 'goat'; give --person-class one of person, bicycle"):
        backend.detectron2_rcnn(sample, None, "goat")


def test_wrong_arguments_are_explained(backend: ModuleType, tmp_path: Path) -> None:
    torch.save({"model": {"another.weight": torch.zeros(3)}}, tmp_path / "other.pth")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"model": "no/such.yaml"}, "neither a file nor a config of Detectron2's model zoo"),
        ({"model": "COCO-Detection/fcos_R_50_FPN_1x.py"}, "is a LazyConfig"),
        ({"model": backend.SAMPLE_MODEL}, "give a file: --weights"),
        ({"model": backend.SAMPLE_MODEL, "weights": tmp_path / "none.pth"}, "no weights at"),
        ({"model": backend.SAMPLE_MODEL, "weights": tmp_path / "other.pth"}, "the weights lack"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=re.escape(message)):
            build_person_detector("detectron2", device="cpu", **arguments)
