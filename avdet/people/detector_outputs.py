"""The outputs of exported detectors as boxes: one pure function per format, and how a format is recognised.

B images (1), N boxes, C classes. Sources: Ultralytics' export, YOLOv5's and YOLOX's export_onnx.py, Transformers'
models, TensorFlow's object detection API, torchvision.models.detection, and the deployment of RT-DETR and D-FINE.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from avdet.people.detector_input import IMAGENET, InputConvention, Size

__all__ = ["FORMATS", "Decoded", "OutputFormat", "recognise_format"]

Array = NDArray[np.float32]
Outputs = Mapping[str, NDArray[Any]]
STRIDES = ((8, 16, 32), (8, 16, 32, 64), (16, 32), (4, 8, 16, 32))  # of the feature maps of YOLO models
MAX_NORMALISED = 2.0  # larger coordinates are pixels


class Decoded(NamedTuple):
    """Boxes (N, 4) xyxy in pixels of the input, and each one's best class with its score.

    num_classes: None if the output holds class numbers.
    """

    boxes: Array
    scores: Array
    classes: NDArray[np.int64]
    num_classes: int | None = None


class OutputFormat(NamedTuple):
    """One form of outputs.

    decode: from the outputs, the input's size and the number of class names, None if they are unknown.
    nms_iou: the threshold of non-maximum suppression; None if the model has none to do.
    label_count: the classes that are numbered where a file without names holds class numbers: COCO's 80, or 91 by id.
    """

    description: str
    decode: Callable[[Outputs, Size, int | None], Decoded]
    input: InputConvention = InputConvention()
    nms_iou: float | None = None
    label_count: int = 80


def yolov5(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """(B, N, 5 + C): centre, width and height in pixels, objectness, class scores."""
    rows = _first(outputs)
    return _best_class(_corners(rows[:, :4]), rows[:, 4:5] * rows[:, 5:], num_names)


def yolov8(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """(B, 4 + C + extra, N): centre, width and height in pixels, class scores, and masks or keypoints."""
    rows = _first(outputs).T
    return _best_class(_corners(rows[:, :4]), rows[:, 4:], num_names)


def yolov10(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """(B, N, 6 + extra): corners in pixels, score, class; of end-to-end models and of exports with NMS."""
    rows = _first(outputs)
    return Decoded(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64))


def yolox(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """(B, N, 5 + C) by cell of three grids: offset from the cell and logarithm of the size, both in strides.

    Exported with --decode_in_inference, the boxes are in pixels already.
    """
    rows = _first(outputs)
    boxes = rows[:, :4]
    if not _spans_input(boxes, size):
        cells = [_grid(size, stride) for stride in STRIDES[0]]
        offsets = np.concatenate(cells)
        strides = np.concatenate([np.full((len(cell), 1), s) for cell, s in zip(cells, STRIDES[0], strict=True)])
        boxes = np.concatenate([(boxes[:, :2] + offsets) * strides, np.exp(boxes[:, 2:]) * strides], axis=1)
    return _best_class(_corners(boxes), rows[:, 4:5] * rows[:, 5:], num_names)


def rtdetr(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """(B, N, 4 + C): normalised centre, width and height, class scores; or (B, N, 6): score and class."""
    rows = _first(outputs)
    boxes = _corners(rows[:, :4]) * _corner_scale(size)
    if _holds_class_numbers(rows):
        return Decoded(boxes, rows[:, 4], rows[:, 5].astype(np.int64))
    return _best_class(boxes, rows[:, 4:], num_names)


def detr(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """Logits (B, N, C + 1), whose last class is "no object", and pred_boxes (B, N, 4), normalised centre and size."""
    logits = outputs["logits"][0].astype(np.float32)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = exponentials / exponentials.sum(axis=1, keepdims=True)
    return _best_class(_corners(outputs["pred_boxes"][0]) * _corner_scale(size), scores[:, :-1], num_names)


def detr_sigmoid(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """As `detr`, with logits (B, N, C) of independent classes: RT-DETR, D-FINE, Deformable DETR."""
    scores = 1 / (1 + np.exp(-outputs["logits"][0].astype(np.float32)))
    return _best_class(_corners(outputs["pred_boxes"][0]) * _corner_scale(size), scores, num_names)


def tensorflow(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """detection_boxes (B, N, 4) normalised y1, x1, y2, x2, detection_scores and detection_classes (B, N)."""
    boxes = outputs["detection_boxes"][0][:, [1, 0, 3, 2]] * _corner_scale(size)
    return Decoded(boxes, outputs["detection_scores"][0], outputs["detection_classes"][0].astype(np.int64))


def torchvision(outputs: Outputs, size: Size, num_names: int | None) -> Decoded:
    """Boxes (N, 4) in pixels, labels (N,), which are whole numbers, and scores (N,), with or without B."""
    found = _boxes_labels_scores(outputs)
    if found is None:
        raise ValueError("the outputs are not boxes, labels and scores")
    boxes, labels, scores = found
    return Decoded(boxes.reshape(-1, 4), scores.reshape(-1), labels.reshape(-1).astype(np.int64))


_YOLO = InputConvention()
_STRETCHED = InputConvention("stretch")
FORMATS = {
    "yolov5": OutputFormat("YOLOv5, v6, v7", yolov5, _YOLO, nms_iou=0.45),
    "yolov8": OutputFormat("YOLOv8, v9, 11, 12, 26", yolov8, _YOLO, nms_iou=0.7),
    "yolov10": OutputFormat("YOLOv10 and 26 end to end, exports with NMS", yolov10, _YOLO),
    "yolox": OutputFormat("YOLOX", yolox, InputConvention("corner", bgr=True, rescale=1.0), nms_iou=0.45),
    "rtdetr": OutputFormat("RT-DETR of Ultralytics", rtdetr, _STRETCHED),
    "detr": OutputFormat(
        "DETR, YOLOS of Transformers", detr, InputConvention("shortest_edge", 800, mean=IMAGENET[0], std=IMAGENET[1])
    ),
    "detr_sigmoid": OutputFormat("RT-DETR, D-FINE of Transformers", detr_sigmoid, _STRETCHED),
    "dfine": OutputFormat("RT-DETR and D-FINE of their authors", torchvision, _STRETCHED),
    "tensorflow": OutputFormat(
        "TensorFlow's object detection API", tensorflow, InputConvention("none", rescale=1.0), label_count=91
    ),
    "torchvision": OutputFormat(
        "SSD, RetinaNet, R-CNN of torchvision", torchvision, InputConvention("none"), label_count=91
    ),
}


def recognise_format(outputs: Outputs, size: Size, num_names: int | None, inputs: Container[str]) -> str | None:
    """The key of FORMATS that the outputs for a frame without content have; None if there is none.

    num_names: of the classes, None if they are unknown; inputs: the names of the model's inputs.
    """
    if {"detection_boxes", "detection_scores", "detection_classes"} <= outputs.keys():
        return "tensorflow"
    if {"logits", "pred_boxes"} <= outputs.keys():
        count = outputs["logits"].shape[-1]
        has_no_object = count == 92 if num_names is None else count == num_names + 1
        return "detr" if has_no_object else "detr_sigmoid"
    if _boxes_labels_scores(outputs) is not None:
        return "dfine" if "orig_target_sizes" in inputs else "torchvision"
    first = next(iter(outputs.values()))
    return _single_output_format(first[0], size) if first.ndim == 3 else None


def _single_output_format(rows: NDArray[Any], size: Size) -> str | None:
    """By the number of boxes: one per cell and anchor, or one per query."""
    cells = [sum(len(_grid(size, stride)) for stride in strides) for strides in STRIDES]
    count, width = rows.shape
    if width in cells and count >= 5:
        return "yolov8"
    if count in {3 * number for number in cells} and width >= 6:
        return "yolov5"
    if count in cells and width >= 6:
        return "yolov5" if _spans_input(rows[:, :4], size) else "yolox"
    if width < 5 or not len(rows):
        return None
    is_normalised = 0 < rows[:, :4].max() <= MAX_NORMALISED
    if width >= 6 and _holds_class_numbers(rows) and not is_normalised:
        return "yolov10"
    return "rtdetr" if is_normalised else None


def _holds_class_numbers(rows: NDArray[Any]) -> bool:
    """Whether column 5 holds whole numbers; the scores of a model are never all whole."""
    return rows.shape[1] >= 6 and bool(np.all(rows[:, 5] == np.rint(rows[:, 5])))


def _spans_input(boxes: NDArray[Any], size: Size) -> bool:
    """Whether the centres of one box per cell are in pixels: they are spread over the input then."""
    return bool(np.ptp(boxes[:, 0]) > size[0] / 2 and np.ptp(boxes[:, 1]) > size[1] / 2)


def _grid(size: Size, stride: int) -> NDArray[np.int64]:
    """(cells, 2): column and row of each cell of a feature map, row by row."""
    columns, rows = (-(-length // stride) for length in size)
    return np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)


def _boxes_labels_scores(outputs: Outputs) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None:
    """Three outputs by their types and shapes, because exporters number them."""
    boxes = [array for array in outputs.values() if array.ndim >= 2 and array.shape[-1] == 4]
    others = [array for array in outputs.values() if array.shape == boxes[0].shape[:-1]] if boxes else []
    labels = [array for array in others if array.dtype.kind in "iu"]
    scores = [array for array in others if array.dtype.kind == "f"]
    if len(outputs) == 3 and (len(boxes), len(labels), len(scores)) == (1, 1, 1):
        return boxes[0], labels[0], scores[0]
    return None


def _first(outputs: Outputs) -> Array:
    return next(iter(outputs.values()))[0].astype(np.float32)


def _best_class(boxes: Array, scores: Array, num_names: int | None) -> Decoded:
    """Columns of `scores` after the last name are masks or keypoints."""
    scores = scores[:, :num_names]
    return Decoded(boxes, scores.max(axis=1), scores.argmax(axis=1), scores.shape[1])


def _corners(boxes: NDArray[Any]) -> Array:
    """Converts centre, width and height to corners."""
    return np.concatenate([boxes[:, :2] - boxes[:, 2:4] / 2, boxes[:, :2] + boxes[:, 2:4] / 2], axis=1)


def _corner_scale(size: Size) -> Array:
    return np.array([*size, *size], np.float32)
