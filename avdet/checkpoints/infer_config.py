"""The network that weights belong to, read off their names and shapes, and the frame rates off PySlowFast's config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from torch import Tensor

__all__ = ["frames_of_pyslowfast", "structure_of"]

JOINTS = ("pool1", "res2", "res3", "res4")
STAGES = ("res2", "res3", "res4", "res5")


def structure_of(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The settings of section model that weights (under our names) show. Those of time and training they do not."""
    slow = "backbone.slow."
    if not {f"{slow}conv1.conv.weight", "backbone.fast.conv1.conv.weight"} <= state.keys():
        raise ValueError(
            "The file holds one pathway; only SlowFast and AVSlowFast, which have two or three, are converted"
        )
    width = len(state[f"{slow}conv1.conv.weight"])
    temporal = [
        state[f"{slow}res4.block{i}.branch.a.conv.weight"].shape[2] == 3 for i in range(_blocks(state, slow)[2])
    ]
    structure: dict[str, Any] = {
        "width": width,
        "beta": len(state["backbone.fast.conv1.conv.weight"]) / width,
        "stage_blocks": _blocks(state, slow),
        "res4_temporal_blocks": None if all(temporal) else sum(temporal),
        "nonlocal_blocks": _indices(state, rf"{slow}res4\.nonlocal(\d+)\."),
        "fast_to_slow_stages": _joints(state, "fast_to_slow.conv.conv.weight"),
        "audio": False,
    }
    kernels = {tensor.shape[2] for name, tensor in state.items() if name.endswith("fast_to_slow.conv.conv.weight")}
    if kernels:
        structure["fast_to_slow_kernel"] = max(kernels)
    return {**structure, **_sound(state, width)} if "backbone.audio.conv1.time.weight" in state else structure


def _sound(state: Mapping[str, Tensor], width: int) -> dict[str, Any]:
    fusion_stages = _joints(state, "to_time.first.conv.weight")
    widths = {len(tensor) for name, tensor in state.items() if name.endswith("to_time.first.conv.weight")}
    sound: dict[str, Any] = {
        "audio": True,
        "beta_audio": len(state["backbone.audio.conv1.time.weight"]) / width,
        "audio_blocks": _blocks(state, "backbone.audio."),
        "fusion_stages": fusion_stages,
        "avs_stages": tuple(
            stage for stage in ("res2", "res3", "res4", "pool5") if f"sync.{stage}.sound.bias" in state
        ),
    }
    return {**sound, "fusion_width": widths.pop()} if widths else sound


def _joints(state: Mapping[str, Tensor], layer: str) -> tuple[str, ...]:
    return tuple(joint for joint in JOINTS if f"backbone.join.{joint}.{layer}" in state)


def _blocks(state: Mapping[str, Tensor], pathway: str) -> tuple[int, ...]:
    return tuple(len(_indices(state, rf"{re.escape(pathway)}{stage}\.block(\d+)\.")) for stage in STAGES)


def _indices(state: Mapping[str, Tensor], pattern: str) -> tuple[int, ...]:
    matches = (re.match(pattern, name) for name in state)
    return tuple(sorted({int(match[1]) for match in matches if match}))


def frames_of_pyslowfast(text: str) -> dict[str, Any]:
    """The settings of section model that weights do not show, from the YAML of a PySlowFast config."""
    try:
        theirs = yaml.safe_load(text)
        data, slowfast = theirs["DATA"], theirs["SLOWFAST"]
        alpha = int(slowfast["ALPHA"])
        settings = {
            "alpha": alpha,
            "slow_frames": int(data["NUM_FRAMES"]) // alpha,
            "slow_stride": int(data["SAMPLING_RATE"]) * alpha,
            "nonlocal_form": theirs["NONLOCAL"]["INSTANTIATION"],
            "dropout": float(theirs["MODEL"]["DROPOUT_RATE"]),
        }
        if "AUDIO_FRAME_NUM" in data:
            settings["audio_frames"] = int(data["AUDIO_FRAME_NUM"])
            settings["mel_bins"] = int(data["AUDIO_MEL_NUM"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"The config inside the file is not PySlowFast's ({type(error).__name__}); give a recipe with --config"
        ) from None
    return settings
