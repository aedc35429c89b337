"""Made-up ONNX models with hand-worked outputs, and a real detector on a real clip."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ava_eval
from avdet.boxes import iou_xyxy
from avdet.media.video_reader import VideoReader
from avdet.people.box_table import persons_from_rows
from avdet.people.box_table_detector import ground_truth_boxes
from avdet.people.build_detector import build_person_detector, build_trainable_detector, default_min_score
from avdet.people.onnx_detector import OnnxDetector, onnx_detector
from avdet.people.person_detector import KeyframeImage
from tests.people.detector_arrays import BOX, CASES, FRAME, Arrays, yolov8, yolov10
from tests.people.onnx_models import save_model
from tests.shared import SHARED, needs_shared

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
CPU = torch.device("cpu")
BLACK = KeyframeImage("clip", 0.0, np.zeros((FRAME[1], FRAME[0], 3), np.uint8))


def brightness_model(path: Path, *, shape: Sequence[int], image_type: int) -> Path:
    """The score of one box, in the form of yolov10, is the greatest value of the input's first channel."""
    from onnx import helper, numpy_helper

    channels_last = shape[-1] == 3
    box = np.array([[[16, 24, 48, 32]]], np.float32)
    constants = {"axes": np.array([1, 2] if channels_last else [2, 3]), "zero": np.array([0]), "one": np.array([1])}
    constants |= {"last": np.array([-1]), "box": box, "class": np.zeros((1, 1, 1), np.float32)}
    constants |= {"form": np.array([1, 1, 1])}
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in constants.items()
    ]
    nodes += [
        helper.make_node("Cast", ["images"], ["floats"], to=1),
        helper.make_node("ReduceMax", ["floats"], ["most"], axes=constants["axes"].tolist(), keepdims=0),
        helper.make_node("Slice", ["most", "zero", "one", "last"], ["first"]),
        helper.make_node("Reshape", ["first", "form"], ["score"]),
        helper.make_node("Concat", ["box", "score", "class"], ["output0"], axis=2),
    ]
    return save_model(path, {"output0": None}, shape=shape, image_type=image_type, nodes=nodes)


@pytest.mark.parametrize(("key", "outputs", "name"), CASES)
def test_boxes_of_every_format_are_on_the_frame(
    key: str, outputs: Arrays, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from onnx import helper

    sizes = [helper.make_tensor_value_info("orig_target_sizes", 7, (1, 2))] if key == "dfine" else []
    path = save_model(tmp_path / "model.onnx", outputs, extra_inputs=sizes)
    output_format = key if key == "detr" else None  # without names, 3 logits may be 3 classes
    with caplog.at_level("INFO"):
        detector = onnx_detector(path, CPU, person_class=name, output_format=output_format)
    assert f"({key}); it detects {name}" in caplog.text
    (found,) = detector([BLACK])
    assert found.boxes.tolist()[0] == pytest.approx(BOX, abs=1e-6) and len(found) == 1
    assert found.scores.tolist() == pytest.approx([0.75]) and found.person_ids.tolist() == [-1]


def test_names_in_the_metadata_select_the_class(tmp_path: Path) -> None:
    names = {"names": "{0: 'cat', 1: 'dog'}", "imgsz": "[64, 64]", "task": "detect"}
    path = save_model(tmp_path / "model.onnx", yolov8(), metadata=names)
    for name, scores in (("dog", [0.75]), ("cat", [0.9])):
        (found,) = build_person_detector(weights=path, device="cpu", person_class=name)([BLACK])
        assert found.scores.tolist() == pytest.approx(scores)
    with pytest.raises(ValueError, match=r"no class 'person'; give --person-class one of cat, dog$"):
        build_person_detector(weights=path, device="cpu")


@pytest.mark.parametrize(
    ("shape", "image_type", "score"),
    [
        ((1, 3, 64, 64), 1, 0.8),
        ((1, 64, 64, 3), 1, 0.8),
        ((1, 64, 64, 3), 2, 204),  # uint8
        ((1, 3, 64, 64), 10, 0.8),  # float16
    ],
)
def test_inputs_have_the_layout_and_type_of_the_model(
    shape: tuple[int, ...], image_type: int, score: float, tmp_path: Path
) -> None:
    rgb = np.full((FRAME[1], FRAME[0], 3), (204, 0, 0), np.uint8)  # the padding is 114
    path = brightness_model(tmp_path / "model.onnx", shape=shape, image_type=image_type)
    (found,) = onnx_detector(path, CPU, person_class="person")([KeyframeImage("clip", 0.0, rgb)])
    assert found.scores.tolist() == pytest.approx([score], abs=1e-3)
    assert found.boxes[0].tolist() == pytest.approx(BOX)


@pytest.mark.parametrize("shape", [(4, 3, 64, 64), (1, 1, 64, 64), (1, 5), (1, 3, 8, 64, 64)])
def test_other_inputs_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = save_model(tmp_path / "model.onnx", yolov10(), shape=shape)
    with pytest.raises(ValueError, match="export a detector of one RGB image at a time"):
        onnx_detector(path, CPU, person_class="person")


def test_dynamic_inputs_are_as_large_as_the_metadata_state(tmp_path: Path) -> None:
    """A frame of 128 x 64 within 96 x 96 is 96 x 48, padded to a multiple of the stride of 32: 96 x 64."""
    outputs = {"output0": np.array([[[24, 20, 72, 32, 0.75, 0]]], np.float32)}
    metadata = {"names": "['person']", "imgsz": "[96, 96]"}
    path = save_model(tmp_path / "model.onnx", outputs, shape=("batch", 3, "height", "width"), metadata=metadata)
    (found,) = onnx_detector(path, CPU, person_class="person")([BLACK])
    assert found.boxes[0].tolist() == pytest.approx([0.25, 0.25, 0.75, 0.5])


def test_boxes_outside_the_frame_are_dropped(tmp_path: Path) -> None:
    """One lies in the padding, the other leaves the frame at the left."""
    outputs = {"output0": np.array([[[0, 0, 64, 15, 0.9, 0], [-9, 16, 32, 48, 0.8, 0]]], np.float32)}
    path = save_model(tmp_path / "model.onnx", outputs)
    (found,) = onnx_detector(path, CPU, person_class="person")([BLACK])
    assert found.boxes.tolist() == [[0, 0, 0.5, 1]]


def test_wrong_models_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx import helper

    (tmp_path / "text.onnx").write_text("no model")
    classifier = save_model(tmp_path / "classifier.onnx", {"logits": np.zeros((1, 9), np.float32)})
    prompt = helper.make_tensor_value_info("input_ids", 7, (1, 5))
    promptable = save_model(tmp_path / "prompt.onnx", yolov10(), extra_inputs=[prompt])
    detector = save_model(tmp_path / "detector.onnx", yolov10())
    cases: list[tuple[dict[str, Any], str]] = [
        ({"name": "onnx"}, "give an .onnx file with --person-weights"),
        ({"weights": tmp_path / "none.onnx"}, "there is no detector at"),
        ({"weights": tmp_path / "text.onnx"}, "cannot be loaded"),
        ({"weights": classifier}, r"have no known format \(logits \(1, 9\)\); give --person-format one of yolov5, "),
        ({"weights": promptable}, "needs the input input_ids"),
        ({"weights": detector, "output_format": "yolo"}, "'yolo' is no format; give --person-format one of yolov5"),
        ({"weights": detector, "output_format": "detr"}, "do not have the format detr"),
        ({"weights": detector, "model": "tiny"}, "--person-model tiny is not for --person-detector onnx"),
        ({"name": "torchvision", "output_format": "detr"}, "is for --person-detector onnx alone"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            build_person_detector(**arguments, device="cpu")
    with pytest.raises(ValueError, match="an exported detector cannot be trained"):
        build_trainable_detector(weights=detector, device="cpu")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"onnxruntime is not installed; install it: pip install 'avdet\[onnx\]'"):
        build_person_detector(weights=detector, device="cpu")


@needs_shared
def test_a_real_detector_finds_the_labelled_persons() -> None:
    """SSDLite on a clip of AVA's validation set, whose keyframe at 1323 s shows three men."""
    weights = SHARED / "people/ssdlite_person.onnx"
    (excerpt,) = (SHARED / "data/annotations").rglob("ava_val_v2.2_excerpt_9Y_l9NsnYE0_1315-1333.csv")
    truth = ground_truth_boxes(ava_eval.read_ground_truth(excerpt))
    labelled = persons_from_rows(truth[truth["timestamp"] == 1323])
    with VideoReader(SHARED / "data/clips/with_audio/ava_9Y_l9NsnYE0_01323.mp4") as video:
        (rgb,) = video.frames([1.5])
    detector = build_person_detector("onnx", weights=weights, device="cpu")
    assert isinstance(detector, OnnxDetector) and detector.min_score == default_min_score(None, weights)
    (found,) = detector([KeyframeImage("clip", 1.5, np.asarray(rgb))])
    found = found.select(found.scores >= detector.min_score)
    assert len(labelled) == len(found) == 3
    best = iou_xyxy(labelled.boxes, found.boxes).max(dim=1).values
    assert best.tolist() == pytest.approx([0.93, 0.84, 0.98], abs=0.01)
