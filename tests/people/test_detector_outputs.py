from __future__ import annotations

import numpy as np
import pytest
import torch

from avdet.people.detector_input import place
from avdet.people.detector_outputs import FORMATS, recognise_format
from tests.people.detector_arrays import (
    BOX,
    CASES,
    CELLS,
    FRAME,
    SIZE,
    Arrays,
    detr,
    grid_cells,
    yolov8,
    yolox_decoded,
)


@pytest.mark.parametrize(("key", "outputs"), [(key, outputs) for key, outputs, _ in CASES])
def test_a_format_is_recognised_and_decoded(key: str, outputs: Arrays) -> None:
    num_names = 2 if key == "detr" else None  # 3 logits may be 3 classes
    inputs = ["images", "orig_target_sizes"] if key == "dfine" else ["images"]
    assert recognise_format(outputs, SIZE, num_names, inputs) == key
    decoded = FORMATS[key].decode(outputs, SIZE, num_names)
    best = int(np.argmax(np.where(decoded.classes == 1, decoded.scores, 0)))
    assert decoded.scores[best] == pytest.approx(0.75)
    placement = place(FRAME, SIZE, FORMATS[key].input, edges=SIZE)
    boxes_px = torch.from_numpy(decoded.boxes[best : best + 1])
    assert placement.normalised(boxes_px)[0].tolist() == pytest.approx(BOX, abs=1e-6)


def test_every_format_has_a_case() -> None:
    assert {key for key, _, _ in CASES} == FORMATS.keys()


def test_yolox_boxes_in_pixels_are_not_decoded_again() -> None:
    """Such a file looks like one of YOLOv6; `yolox` has to be named."""
    outputs = yolox_decoded()
    assert recognise_format(outputs, SIZE, None, ["images"]) == "yolov5"
    decoded = FORMATS["yolox"].decode(outputs, SIZE, None)
    assert decoded.boxes[11].tolist() == [16, 8, 48, 16]


def test_masks_and_keypoints_are_no_classes() -> None:
    cells = np.concatenate([yolov8()["output0"], np.full((1, 32, CELLS), 9, np.float32)], axis=1)
    outputs = {"output0": cells, "output1": np.zeros((1, 32, 16, 16), np.float32)}
    assert recognise_format(outputs, SIZE, 2, ["images"]) == "yolov8"
    decoded = FORMATS["yolov8"].decode(outputs, SIZE, 2)
    assert decoded.num_classes == 2 and decoded.classes.max() == 1


def test_detr_models_of_coco_are_recognised_without_names() -> None:
    """92 logits: COCO's ids from 0 to 90 and "no object". RT-DETR has 80."""
    boxes = detr()["pred_boxes"]
    for count, key in ((92, "detr"), (80, "detr_sigmoid"), (91, "detr_sigmoid")):
        outputs = {"logits": np.zeros((1, 2, count), np.float32), "pred_boxes": boxes}
        assert recognise_format(outputs, SIZE, None, ["pixel_values"]) == key


@pytest.mark.parametrize(
    "outputs",
    [
        {"probabilities": np.zeros((1, 1000), np.float32)},
        {"masks": np.zeros((1, 2, 64, 64), np.float32)},
        {"output": grid_cells(anchors=2) + np.float32(0.01)},
        {"boxes": np.zeros((1, 10, 4), np.float32)},
    ],
    ids=["classifier", "masks", "two anchors", "boxes alone"],
)
def test_other_outputs_are_not_recognised(outputs: Arrays) -> None:
    assert recognise_format(outputs, SIZE, None, ["images"]) is None


def test_an_export_with_nms_may_return_zeros_for_a_black_frame() -> None:
    assert recognise_format({"output0": np.zeros((1, 300, 6), np.float32)}, SIZE, None, ["images"]) == "yolov10"
