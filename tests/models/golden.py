"""Reference weights and inputs, made from names alone, and what the reference code answers with them."""

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


def answer(config: str, mode: str) -> dict[str, Any]:
    answers = json.loads((GOLDEN / "golden.json").read_text())
    (found,) = (entry for entry in answers if (entry["config"], entry["mode"]) == (config, mode))
    assert isinstance(found, dict)
    return found


def reference_state(keys: str) -> dict[str, Tensor]:
    """The reference's state dict, for the names and shapes that the file `keys` lists."""
    make = recipe().tensor
    state: dict[str, Tensor] = {}
    for line in (GOLDEN / keys).read_text().splitlines():
        name, shape, kind = line.split("\t")
        state[name] = torch.from_numpy(make(name, ast.literal_eval(shape))) if kind == "float32" else torch.tensor(0)
    return state


def weights(keys: str) -> dict[str, Tensor]:
    return from_reference(reference_state(keys))
