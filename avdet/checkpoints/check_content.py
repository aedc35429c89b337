"""Checks the content of a checkpoint before anything is built from it: weights, class names, settings."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["content_fault", "is_one_line", "weights_fault"]

_MAX_CLASSES, _MAX_ID, _MAX_NAME, _MAX_DEPTH = 100_000, 2**31, 500, 20
_NOT_ON_A_LINE = {"Cc", "Cs", "Zl", "Zp"}  # Unicode categories: control characters, half characters, line ends


def content_fault(state: Mapping[Any, Any], class_names: Mapping[Any, Any], config: object) -> str | None:
    """What makes a checkpoint unusable, as the rest of a sentence; None if nothing does."""
    if len(class_names) > _MAX_CLASSES:
        return f"has {len(class_names):,} classes, over {_MAX_CLASSES:,}; use another checkpoint"
    for number, name in class_names.items():
        if type(number) is not int or not 0 <= number < _MAX_ID:
            return f"has the class id {str(number)[:20]!r}; ids are whole numbers from 0; use another checkpoint"
        if not isinstance(name, str) or not is_one_line(name):
            return f"has {str(name)[:60]!r} as a class name, which is not printable on a line; use another checkpoint"
    if not _is_shallow(config):
        return f"has settings nested over {_MAX_DEPTH} deep, which avdet does not write; use another checkpoint"
    return weights_fault(state)


def is_one_line(text: str) -> bool:
    """Whether a text prints as one line that is not empty."""
    return bool(text.strip()) and len(text) <= _MAX_NAME and not {*map(unicodedata.category, text)} & _NOT_ON_A_LINE


def weights_fault(state: Mapping[Any, Any]) -> str | None:
    """What makes named weights unusable, as the rest of a sentence; None if all are dense, real and finite tensors."""
    for name, tensor in state.items():
        if not isinstance(name, str) or not is_one_line(name) or not isinstance(tensor, Tensor):
            return f"holds {str(name)[:60]!r}, which is not a named weight; use the original checkpoint"
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_meta:
            return f"holds {name}, which is no dense tensor of real numbers; use the original checkpoint"
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            return f"holds {name}, whose shape {tuple(tensor.shape)} exceeds its data; use the original checkpoint"
    for name, tensor in state.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            return f"has NaN or Inf in {name}, so its training failed; use an earlier checkpoint"
    return None


def _is_shallow(content: object) -> bool:
    """Compares level by level, because deep content overflows the stack of a recursive function."""
    level = [content]
    for _ in range(_MAX_DEPTH):
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [value for values in inner for value in values]
        if len(level) > _MAX_CLASSES:
            return False
    return not level
