"""Hand-worked outputs of each format of exported detectors: input 64 x 64, one box of class 1 of 2 with score 0.75.

The frame is twice as wide as high. The box is BOX on it: in a letterbox, which places the frame at y = 16 to 48, pixels
16, 24, 48, 32; at the top of the input 16, 8, 48, 16; in a stretched one 16, 16, 48, 32.
"""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = (64, 64)
FRAME = (128, 64)
BOX = [0.25, 0.25, 0.75, 0.5]
CELLS = 8 * 8 + 4 * 4 + 2 * 2  # of strides 8, 16 and 32

Arrays = dict[str, NDArray[Any]]


def array(*rows: list[float], length: int | None = None) -> NDArray[np.float32]:
    """(1, length, columns): the rows, and zeros."""
    result = np.zeros((1, length or len(rows), len(rows[0])), np.float32)
    result[0, : len(rows)] = rows
    return result


def grid_cells(anchors: int) -> NDArray[np.float32]:
    """(1, anchors * CELLS, 7) decoded boxes without a score, whose centres are spread over the input."""
    cells = np.zeros((1, anchors * CELLS, 7), np.float32)
    cells[0, :, 0] = cells[0, :, 1] = np.linspace(4, 60, anchors * CELLS)
    return cells


def yolov5() -> Arrays:
    cells = grid_cells(anchors=3)
    cells[0, 100] = [32, 28, 32, 8, 0.9375, 0.1, 0.8]  # objectness times class score: 0.75
    cells[0, 101] = [33, 28, 32, 8, 0.5, 0.1, 0.8]  # suppressed: IoU 31 / 33
    return {"output0": cells}


def yolov8() -> Arrays:
    cells = np.zeros((1, 6, CELLS), np.float32)
    cells[0, :, 5] = [32, 28, 32, 8, 0.1, 0.75]
    cells[0, :, 6] = [33, 28, 32, 8, 0.1, 0.5]  # suppressed
    cells[0, :, 7] = [12, 24, 8, 8, 0.9, 0.3]  # of class 0
    return {"output0": cells}


def yolov10() -> Arrays:
    return {"output0": array([16, 24, 48, 32, 0.75, 1], [0, 0, 64, 64, 0.9, 0], length=300)}


def yolox() -> Arrays:
    """Cell (3, 1) of stride 8: ((3 + 1) * 8, (1 + 0.5) * 8) is the centre, (4 * 8, 1 * 8) the size."""
    cells = np.zeros((1, CELLS, 7), np.float32)
    cells[0, 8 + 3] = [1, 0.5, log(4), 0, 0.9375, 0.1, 0.8]
    return {"output": cells}


def yolox_decoded() -> Arrays:
    cells = grid_cells(anchors=1)
    cells[0, 8 + 3] = [32, 12, 32, 8, 0.9375, 0.1, 0.8]
    return {"output": cells}


def rtdetr() -> Arrays:
    rows = array([0.5, 0.375, 0.5, 0.25, 0.1, 0.75], [0.5, 0.5, 0.2, 0.2, 0.3, 0.2], length=300)
    rows[0, 2:, 5] = 0.01
    return {"output0": rows}


def rtdetr_best() -> Arrays:
    return {"output0": array([0.5, 0.375, 0.5, 0.25, 0.75, 1], [0.5, 0.5, 0.2, 0.2, 0.3, 0])}


def detr() -> Arrays:
    """The softmax of log 1, log 6 and log 1 is 1 / 8, 6 / 8 and 1 / 8; of the second query "no object" is likeliest."""
    return {"logits": array([0, log(6), 0], [-5, -4, 3]), "pred_boxes": array([0.5, 0.375, 0.5, 0.25], [0.5] * 4)}


def detr_sigmoid() -> Arrays:
    """The sigmoid of log 3 is 3 / 4."""
    return {"logits": array([-4, log(3)], [-9, -9]), "pred_boxes": array([0.5, 0.375, 0.5, 0.25], [0.5] * 4)}


def tensorflow() -> Arrays:
    return {
        "num_detections": np.array([2], np.float32),
        "detection_scores": np.array([[0.75, 0.6]], np.float32),
        "detection_boxes": array([0.25, 0.25, 0.5, 0.75], [0, 0, 1, 1]),
        "detection_classes": np.array([[1, 2]], np.float32),
    }


def torchvision() -> Arrays:
    boxes, labels = np.array([[16, 16, 48, 32], [0, 0, 64, 64]], np.float32), np.array([1, 2])
    return {"2307": boxes, "2320": np.array([0.75, 0.6], np.float32), "2311": labels}


def dfine() -> Arrays:
    labels, boxes, scores = (
        np.array([[1, 0]]),
        array([16, 16, 48, 32], [0, 0, 64, 64]),
        np.array([[0.75, 0.6]], np.float32),
    )
    return {"labels": labels, "boxes": boxes, "scores": scores}


# (key of FORMATS, outputs, name of class 1 of a file without names)
CASES: list[tuple[str, Arrays, str]] = [
    ("yolov5", yolov5(), "1"),
    ("yolov8", yolov8(), "1"),
    ("yolov10", yolov10(), "bicycle"),
    ("yolox", yolox(), "1"),
    ("rtdetr", rtdetr(), "1"),
    ("rtdetr", rtdetr_best(), "bicycle"),
    ("detr", detr(), "1"),
    ("detr_sigmoid", detr_sigmoid(), "1"),
    ("tensorflow", tensorflow(), "person"),
    ("torchvision", torchvision(), "person"),
    ("dfine", dfine(), "bicycle"),
]
