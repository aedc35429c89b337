"""Infers the settings of section model from the names and shapes of a state dict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

__all__ = ["infer_model_settings"]

FUSION_STAGES = ("pool1", "res2", "res3", "res4")
STAGES = ("res2", "res3", "res4", "res5")
SLOW_KERNELS = (1, 1, 1, 3, 3)


def infer_model_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Returns the settings of section model that names and shapes determine: all but those of time and training.

    state: weights under avdet's names. Raises ValueError if its one pathway is not Slow.
    """
    slow = "backbone.slow."
    has_fast = "backbone.fast.conv1.conv.weight" in state
    if not has_fast or f"{slow}conv1.conv.weight" not in state:
        _require_slow(state)
    width = len(state[f"{slow}conv1.conv.weight"])
    temporal = [
        state[f"{slow}res4.block{i}.branch.a.conv.weight"].shape[2] == 3 for i in range(_blocks(state, slow)[2])
    ]
    settings: dict[str, Any] = {
        "width": width,
        "stage_blocks": _blocks(state, slow),
        "res4_temporal_blocks": None if all(temporal) else sum(temporal),
        "nonlocal_blocks": _indices(state, rf"{slow}res4\.nonlocal(\d+)\."),
        "fast_to_slow_stages": _stages_with(state, "fast_to_slow.conv.conv.weight"),
        "audio": False,
    }
    if not has_fast:
        return {**settings, "pathways": ("slow",)}
    settings["beta"] = len(state["backbone.fast.conv1.conv.weight"]) / width
    fast_blocks = _blocks(state, "backbone.fast.")
    if fast_blocks != settings["stage_blocks"]:
        settings["fast_blocks"] = fast_blocks
    kernels = {tensor.shape[2] for name, tensor in state.items() if name.endswith("fast_to_slow.conv.conv.weight")}
    if kernels:
        settings["fast_to_slow_kernel"] = max(kernels)
        settings["fast_to_slow_norm"] = any("fast_to_slow.conv.norm." in name for name in state)
    has_audio = "backbone.audio.conv1.time.weight" in state
    return {**settings, **_infer_audio_settings(state, width)} if has_audio else settings


def _require_slow(state: Mapping[str, Tensor]) -> None:
    """Raises ValueError unless the stages of the one pathway have Slow's temporal kernels."""
    layers = ("conv1.conv", *(f"{stage}.block0.branch.a.conv" for stage in STAGES))
    weights = [state.get(f"backbone.slow.{layer}.weight") for layer in layers]
    kernels = [0 if weight is None or weight.ndim < 4 else weight.shape[2] for weight in weights]
    if kernels != list(SLOW_KERNELS):
        raise ValueError(
            f"The file's one pathway has the temporal kernels {kernels} in conv1 and res2 to res5 (0: no such layer); "
            f"only Slow's {list(SLOW_KERNELS)} can be converted, not C2D or I3D"
        )


def _infer_audio_settings(state: Mapping[str, Tensor], width: int) -> dict[str, Any]:
    fusion_stages = _stages_with(state, "audio_lateral.first.conv.weight")
    widths = {len(tensor) for name, tensor in state.items() if name.endswith("audio_lateral.first.conv.weight")}
    settings: dict[str, Any] = {
        "audio": True,
        "beta_audio": len(state["backbone.audio.conv1.time.weight"]) / width,
        "audio_blocks": _blocks(state, "backbone.audio."),
        "fusion_stages": fusion_stages,
        "avs_stages": tuple(
            stage for stage in ("res2", "res3", "res4", "pool5") if f"sync.{stage}.audio.bias" in state
        ),
    }
    return {**settings, "fusion_width": widths.pop()} if widths else settings


def _stages_with(state: Mapping[str, Tensor], layer: str) -> tuple[str, ...]:
    return tuple(stage for stage in FUSION_STAGES if f"backbone.fusion.{stage}.{layer}" in state)


def _blocks(state: Mapping[str, Tensor], pathway: str) -> tuple[int, ...]:
    return tuple(len(_indices(state, rf"{re.escape(pathway)}{stage}\.block(\d+)\.")) for stage in STAGES)


def _indices(state: Mapping[str, Tensor], pattern: str) -> tuple[int, ...]:
    matches = (re.match(pattern, name) for name in state)
    return tuple(sorted({int(match[1]) for match in matches if match}))
