"""Person detection with an exported detector (ONNX) in onnxruntime, which is imported only if it is used."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import nms

from avdet.boxes import clip_xyxy
from avdet.people.detector_classes import class_id, names_by_count
from avdet.people.detector_input import Size, input_array, place
from avdet.people.detector_notes import ModelNotes, model_notes
from avdet.people.detector_outputs import FORMATS, Decoded, OutputFormat, recognise_format
from avdet.people.person_detector import MIN_SCORES, KeyframeImage
from avdet.structures import PersonBoxes

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxDetector", "onnx_detector"]

logger = logging.getLogger(__name__)
DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
EXTRA_INPUTS = {"pixel_mask", "orig_target_sizes"}  # of DETR, and of RT-DETR and D-FINE
CANDIDATE_SCORE = 0.05  # boxes with a lower score are never returned, as with the R-CNNs


class OnnxDetector:
    """Detects one class, frame by frame. `onnx_detector` builds it."""

    needs_frames = True
    min_score = MIN_SCORES["onnx"]

    def __init__(self, model: OnnxModel, output_format: OutputFormat, class_id: int) -> None:
        self._model, self._format, self._class_id = model, output_format, class_id
        self._convention = replace(output_format.input, **model.notes.convention)

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        return [self._detect(image) for image in images]

    def _detect(self, image: KeyframeImage) -> PersonBoxes:
        model, convention = self._model, self._convention
        edges = model.notes.edges or (convention.edge, convention.edge)
        placement = place(image.size_px, model.size, convention, edges=edges, stride=model.notes.stride)
        outputs = model.run(input_array(image.rgb, placement, convention, model.dtype))
        boxes_px, scores = self._selected(self._format.decode(outputs, placement.size, model.num_names))
        boxes = clip_xyxy(placement.normalised(boxes_px), 1.0, 1.0)
        return PersonBoxes.from_boxes(boxes, scores).select((boxes[:, 2:] > boxes[:, :2]).all(dim=1))

    def _selected(self, decoded: Decoded) -> tuple[Tensor, Tensor]:
        """Boxes and scores of the class, by descending score."""
        kept = (decoded.classes == self._class_id) & (decoded.scores >= CANDIDATE_SCORE)
        boxes = torch.from_numpy(decoded.boxes[kept].astype(np.float32))
        scores = torch.from_numpy(decoded.scores[kept].astype(np.float32))
        if self._format.nms_iou is None:
            order = scores.argsort(descending=True, stable=True)
        else:
            order = nms(boxes, scores, self._format.nms_iou)
        return boxes[order], scores[order]


class OnnxModel:
    """A session that takes one frame. Raises ValueError if its inputs are others.

    size: (width, height) of the input, None if it is dynamic; num_names: None if the classes have no names.
    """

    def __init__(self, session: onnxruntime.InferenceSession, notes: ModelNotes, path: Path) -> None:
        self.notes = notes
        self.num_names = None if notes.names is None else len(notes.names)
        self.inputs = {one.name: one for one in session.get_inputs()}
        self._session = session
        image, *others = session.get_inputs()
        lengths = [length if isinstance(length, int) else None for length in image.shape]
        self._has_batch = len(lengths) == 4
        batch, *frame = lengths if self._has_batch else [1, *lengths]
        self._channels_last = len(frame) == 3 and frame[2] == 3 and frame[0] != 3
        height, width, channels = frame if self._channels_last else (*frame[1:], *frame[:1], 0, 0)[:3]
        if image.type not in DTYPES or len(frame) != 3 or batch not in {1, None} or channels not in {3, None}:
            raise ValueError(
                f"{path} takes {image.name}, {image.type} of shape {image.shape}; export a detector of one RGB image "
                "at a time, (1, 3, H, W) or (1, H, W, 3)"
            )
        for other in others:
            if other.name not in EXTRA_INPUTS:
                raise ValueError(f"{path} needs the input {other.name}; export a detector that takes images alone")
        self.dtype = DTYPES[image.type]
        self.size = None if width is None or height is None else (width, height)

    def run(self, image: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The outputs by name for an image (H, W, 3). TensorFlow's names lose their suffix ":0"."""
        height, width = image.shape[:2]
        array = np.ascontiguousarray(image if self._channels_last else image.transpose(2, 0, 1))
        first, *others = self.inputs
        feeds = {first: array[None] if self._has_batch else array}
        feeds.update({name: self._extra_input(name, (width, height)) for name in others})
        names = [output.name.partition(":")[0] for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, feeds), strict=True))

    def outputs_of_black_frame(self) -> tuple[dict[str, NDArray[Any]], Size]:
        """The outputs, whose shapes depend on the input's size where it is dynamic, and this size."""
        size = self.size or self.notes.edges or (640, 640)
        return self.run(np.zeros((size[1], size[0], 3), self.dtype)), size

    def _extra_input(self, name: str, size: Size) -> NDArray[Any]:
        """Size of the image to which boxes refer, or the mask of its pixels that are no padding: all."""
        if name == "orig_target_sizes":
            return np.array([size], np.int64)
        lengths = self.inputs[name].shape[1:]
        return np.ones(
            (1, *(n if isinstance(n, int) else s for n, s in zip(lengths, size[::-1], strict=True))), np.int64
        )


def onnx_detector(
    path: Path, device: torch.device, *, person_class: str, output_format: str | None = None
) -> OnnxDetector:
    """Loads a detector.

    output_format: a key of FORMATS; None recognises it by the outputs for a black frame.
    Raises ValueError if the file is no detector, its format is not recognised or it has no such class.
    """
    session = _session(path, device)
    model = OnnxModel(session, model_notes(session.get_modelmeta().custom_metadata_map, path), path)
    outputs, size = model.outputs_of_black_frame()
    key = output_format or recognise_format(outputs, size, model.num_names, model.inputs)
    shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
    if key not in FORMATS:
        problem = f"the outputs of {path} have no known format ({shapes})" if key is None else f"{key!r} is no format"
        raise ValueError(f"{problem}; give --person-format one of {', '.join(FORMATS)}")
    try:
        decoded = FORMATS[key].decode(outputs, size, model.num_names)
    except (IndexError, KeyError, ValueError):
        raise ValueError(f"the outputs of {path} ({shapes}) do not have the format {key}; leave it out") from None
    names = model.notes.names or names_by_count(decoded.num_classes or FORMATS[key].label_count)
    selected = class_id(person_class, names)
    logger.info("%s has outputs of %s (%s); it detects %s", path.name, FORMATS[key].description, key, names[selected])
    return OnnxDetector(model, FORMATS[key], selected)


def _session(path: Path, device: torch.device) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError:
        raise ValueError("onnxruntime is not installed; install it: pip install 'avdet[onnx]'") from None
    if not path.is_file():
        raise ValueError(f"there is no detector at {path}; give the path of an .onnx file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors alone
    providers = ["CPUExecutionProvider"]
    if device.type == "cuda":
        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            providers.insert(0, "CUDAExecutionProvider")
        else:
            logger.warning("%s runs on the CPU: pip install onnxruntime-gpu runs it on the GPU", path.name)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions have no common base
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{path} cannot be loaded ({reason}); give an ONNX file of a detector") from None
