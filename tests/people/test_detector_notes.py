from __future__ import annotations

import json
from pathlib import Path

import pytest

from avdet.people.detector_notes import ModelNotes, model_notes

NAMES = "{0: 'person', 1: 'dog'}"


def test_ultralytics_metadata_are_read(tmp_path: Path) -> None:
    metadata = {"names": NAMES, "imgsz": "[384, 640]", "stride": "16", "task": "detect"}
    assert model_notes(metadata, tmp_path) == ModelNotes({0: "person", 1: "dog"}, (640, 384), 16)


def test_yolov5_metadata_are_read(tmp_path: Path) -> None:
    assert model_notes({"names": "['cat', 'dog']", "stride": "32"}, tmp_path) == ModelNotes({0: "cat", 1: "dog"})


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"names": NAMES, "task": "classify"}, "is a model for classify; give one for detection"),
        ({"names": NAMES, "task": "obb"}, "is a model for obb"),
        ({"names": "{0: person}"}, "metadata that cannot be parsed"),
        ({"names": NAMES, "imgsz": "640"}, "metadata that cannot be parsed"),
    ],
)
def test_other_metadata_are_refused(metadata: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        model_notes(metadata, tmp_path / "model.onnx")


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("model", ["model.onnx", "onnx/model.onnx"])
def test_the_files_of_transformers_are_read(model: str, tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"id2label": {"0": "N/A", "1": "person"}})
    detr = {"do_normalize": True, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.1], "do_rescale": True}
    write_json(tmp_path / "preprocessor_config.json", {**detr, "size": {"shortest_edge": 600, "longest_edge": 1000}})
    notes = model_notes({}, tmp_path / model)
    assert notes.names == {0: "N/A", 1: "person"} and notes.edges is None
    normalisation = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.1), "rescale": 1 / 255}
    assert notes.convention == {**normalisation, "fit": "shortest_edge", "edge": 600}
    write_json(tmp_path / "preprocessor_config.json", {"do_normalize": False, "size": {"height": 480, "width": 640}})
    notes = model_notes({}, tmp_path / model)
    assert notes.edges == (640, 480) and notes.convention["mean"] == (0, 0, 0) and notes.convention["fit"] == "stretch"


def test_other_json_files_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("not JSON", encoding="utf-8")
    write_json(tmp_path / "preprocessor_config.json", {"do_normalize": False})
    assert model_notes({}, tmp_path / "model.onnx") == ModelNotes()
