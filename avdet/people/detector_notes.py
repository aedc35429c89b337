"""What the files of an exported detector record: class names, input size and normalisation.

Ultralytics and YOLOv5 write them into the ONNX file's metadata, Transformers into JSON files beside it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avdet.people.detector_input import Size

__all__ = ["ModelNotes", "model_notes"]

DETECTION_TASKS = {"detect", "segment", "pose"}  # of Ultralytics; their boxes are alike


@dataclass(frozen=True)
class ModelNotes:
    """names: by class number; edges: (width, height) of the input; None where the files do not record them.

    convention: fields of InputConvention that differ from those of the format.
    """

    names: Mapping[int, str] | None = None
    edges: Size | None = None
    stride: int = 32
    convention: Mapping[str, Any] = field(default_factory=dict)


def model_notes(metadata: Mapping[str, str], path: Path) -> ModelNotes:
    """Notes of the model at `path`, whose ONNX metadata is `metadata`.

    Raises ValueError for a model of another task, or if the metadata cannot be parsed.
    """
    if "names" in metadata:
        return _ultralytics_notes(metadata, path)
    config, processor = (_json_beside(path, name) for name in ("config.json", "preprocessor_config.json"))
    if "id2label" not in config:
        return ModelNotes()
    names = {int(number): str(name) for number, name in config["id2label"].items()}
    size = processor.get("size")
    edges, convention = None, _normalisation(processor)
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        edges = (int(size["width"]), int(size["height"]))
        convention["fit"] = "stretch"
    elif isinstance(size, dict) and "shortest_edge" in size:
        convention |= {"fit": "shortest_edge", "edge": int(size["shortest_edge"])}
    return ModelNotes(names, edges, convention=convention)


def _ultralytics_notes(metadata: Mapping[str, str], path: Path) -> ModelNotes:
    """names is a dictionary or a list, imgsz (height, width)."""
    task = metadata.get("task", "detect")
    if task not in DETECTION_TASKS:
        raise ValueError(f"{path} is a model for {task}; give one for detection")
    try:
        names = ast.literal_eval(metadata["names"])
        names = dict(names if isinstance(names, dict) else enumerate(names))
        height, width = ast.literal_eval(metadata["imgsz"]) if "imgsz" in metadata else (0, 0)
        stride = int(metadata.get("stride", "32"))
    except (ValueError, SyntaxError, TypeError):
        raise ValueError(f"{path} has metadata that cannot be parsed; export the model again") from None
    edges = (int(width), int(height)) if width and height else None
    return ModelNotes({int(number): str(name) for number, name in names.items()}, edges, stride)


def _json_beside(path: Path, name: str) -> dict[str, Any]:
    """The content of a JSON file in the model's folder, or in the folder above onnx/; {} if there is none."""
    for folder in (path.parent, path.parent.parent)[: 2 if path.parent.name == "onnx" else 1]:
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            return content
    return {}


def _normalisation(processor: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of InputConvention from an image processor of Transformers; {} without one."""
    if "do_normalize" not in processor:
        return {}
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if processor["do_normalize"]:
        mean, std = tuple(processor["image_mean"]), tuple(processor["image_std"])
    rescale = processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 1.0
    return {"rescale": rescale, "mean": mean, "std": std}
