"""Weights and inputs generated from tensor names, and the reference code's outputs for them."""

from __future__ import annotations

import ast
import importlib.util
import json
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from avdet.checkpoints.convert import from_reference
from tests.shared import SHARED

GOLDEN = SHARED / "golden"


def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_recipe", GOLDEN / "recipe.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected_output(config: str, mode: str) -> dict[str, Any]:
    outputs = json.loads((GOLDEN / "golden.json").read_text())
    (output,) = (entry for entry in outputs if (entry["config"], entry["mode"]) == (config, mode))
    assert isinstance(output, dict)
    return output


def reference_state(keys: str) -> dict[str, Tensor]:
    """A state dict with the reference's names and shapes, which the file `keys` lists."""
    make = recipe().tensor
    state: dict[str, Tensor] = {}
    for line in (GOLDEN / keys).read_text().splitlines():
        name, shape, kind = line.split("\t")
        state[name] = torch.from_numpy(make(name, ast.literal_eval(shape))) if kind == "float32" else torch.tensor(0)
    return state


def listed_state(keys: str) -> dict[str, Tensor]:
    """As `reference_state`, for the files of other code bases: a name and a shape per line."""
    make = recipe().tensor
    lines = (line.split(" ", 1) for line in (GOLDEN / keys).read_text().splitlines())
    shapes = {name: tuple(ast.literal_eval(shape)) for name, shape in lines}
    return {
        name: torch.from_numpy(make(name, shape)) if shape else torch.tensor(0)  # num_batches_tracked
        for name, shape in shapes.items()
    }


def weights(keys: str) -> dict[str, Tensor]:
    return from_reference(reference_state(keys))
