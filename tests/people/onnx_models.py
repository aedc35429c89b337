"""ONNX models with constant outputs, which stand for exported detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def save_model(
    path: Path,
    outputs: Mapping[str, Any],
    *,
    shape: Sequence[int | str | None] = (1, 3, 64, 64),
    image_type: int = 1,  # onnx.TensorProto.FLOAT
    metadata: Mapping[str, str] | None = None,
    extra_inputs: Sequence[Any] = (),
    nodes: Sequence[Any] = (),
) -> Path:
    """A model with constant outputs, where `nodes` do not compute them from the input `images`."""
    import onnx
    from onnx import helper, numpy_helper

    constants = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))
        for name, array in outputs.items()
        if array is not None
    ]
    images = helper.make_tensor_value_info("images", image_type, shape)
    infos = [
        helper.make_tensor_value_info(name, 7 if array is not None and array.dtype.kind == "i" else 1, None)
        for name, array in outputs.items()
    ]
    graph = helper.make_graph([*constants, *nodes], "detector", [images, *extra_inputs], infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, path)
    return path
