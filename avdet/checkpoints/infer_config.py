"""Infers the settings of section model from a state dict and from PySlowFast's config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from torch import Tensor

__all__ = ["infer_model_settings", "read_pyslowfast_config"]

FUSION_STAGES = ("pool1", "res2", "res3", "res4")
STAGES = ("res2", "res3", "res4", "res5")


def infer_model_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Returns the settings of section model that names and shapes determine: all but those of time and training.

    state: weights under avdet's names. Raises ValueError if it has fewer than two pathways.
    """
    slow = "backbone.slow."
    if not {f"{slow}conv1.conv.weight", "backbone.fast.conv1.conv.weight"} <= state.keys():
        raise ValueError(
            "The file holds one pathway; only SlowFast (two pathways) and AVSlowFast (three) can be converted"
        )
    width = len(state[f"{slow}conv1.conv.weight"])
    temporal = [
        state[f"{slow}res4.block{i}.branch.a.conv.weight"].shape[2] == 3 for i in range(_blocks(state, slow)[2])
    ]
    settings: dict[str, Any] = {
        "width": width,
        "beta": len(state["backbone.fast.conv1.conv.weight"]) / width,
        "stage_blocks": _blocks(state, slow),
        "res4_temporal_blocks": None if all(temporal) else sum(temporal),
        "nonlocal_blocks": _indices(state, rf"{slow}res4\.nonlocal(\d+)\."),
        "fast_to_slow_stages": _stages_with(state, "fast_to_slow.conv.conv.weight"),
        "audio": False,
    }
    kernels = {tensor.shape[2] for name, tensor in state.items() if name.endswith("fast_to_slow.conv.conv.weight")}
    if kernels:
        settings["fast_to_slow_kernel"] = max(kernels)
    has_audio = "backbone.audio.conv1.time.weight" in state
    return {**settings, **_infer_audio_settings(state, width)} if has_audio else settings


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


def read_pyslowfast_config(text: str) -> dict[str, Any]:
    """Returns the settings of section model that weights do not determine, from the YAML of a PySlowFast config.

    Raises ValueError if a field is missing or invalid.
    """
    try:
        config = yaml.safe_load(text)
        data, slowfast = config["DATA"], config["SLOWFAST"]
        alpha = int(slowfast["ALPHA"])
        settings = {
            "alpha": alpha,
            "slow_frames": int(data["NUM_FRAMES"]) // alpha,
            "slow_stride": int(data["SAMPLING_RATE"]) * alpha,
            "nonlocal_form": config["NONLOCAL"]["INSTANTIATION"],
            "dropout": float(config["MODEL"]["DROPOUT_RATE"]),
        }
        if "AUDIO_FRAME_NUM" in data:
            settings["audio_frames"] = int(data["AUDIO_FRAME_NUM"])
            settings["mel_bins"] = int(data["AUDIO_MEL_NUM"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"The config inside the file is not PySlowFast's ({type(error).__name__}); give a config with --config"
        ) from None
    return settings
