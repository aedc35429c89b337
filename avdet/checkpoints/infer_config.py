"""Infers the settings of sections model and data from a state dict and from the configs of PySlowFast and MMAction2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from torch import Tensor

__all__ = ["Settings", "infer_model_settings", "mmaction2_settings", "pyslowfast_settings", "pytorchvideo_settings"]

Settings = dict[str, dict[str, Any]]  # by section: model and data
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
    fast_blocks = _blocks(state, "backbone.fast.")
    if fast_blocks != settings["stage_blocks"]:
        settings["fast_blocks"] = fast_blocks
    kernels = {tensor.shape[2] for name, tensor in state.items() if name.endswith("fast_to_slow.conv.conv.weight")}
    if kernels:
        settings["fast_to_slow_kernel"] = max(kernels)
        settings["fast_to_slow_norm"] = any("fast_to_slow.conv.norm." in name for name in state)
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


class _PySlowFastConfig:
    """PySlowFast's config, read by field ("DATA.MEAN"); `default` is for older configs, which lack the field."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def get(self, field: str, default: Any = None) -> Any:  # noqa: ANN401  (any setting)
        section, name = field.split(".")
        return self.content.get(section, {}).get(name, default)

    def require(self, field: str, *supported: object) -> None:
        """Raises ValueError if the field has a value that avdet cannot compute."""
        value = self.get(field, supported[0])
        if value not in supported:
            listed = " or ".join(str(option) for option in supported)
            raise ValueError(f"{field} is {value} in the file's config, but avdet supports only {listed} here")

    def of_stages(self, field: str, default: Sequence[int]) -> list[int]:
        """The values of res2 to res5, which Slow and Fast share."""
        stages = self.get(field, [[value] for value in default])
        if any(len(set(stage[:2])) > 1 for stage in stages):
            raise ValueError(f"{field} is {stages} in the file's config, but Slow and Fast share the value in avdet")
        return [stage[0] for stage in stages]


def pyslowfast_settings(text: str) -> Settings:
    """Returns the settings that weights do not determine, from the YAML of a PySlowFast config.

    Raises ValueError if a field is missing or invalid, or has a value that avdet does not support.
    """
    try:
        config = _PySlowFastConfig(yaml.safe_load(text))
        data, alpha = config.content["DATA"], int(config.content["SLOWFAST"]["ALPHA"])
        slow_frames, slow_stride = int(data["NUM_FRAMES"]) // alpha, int(data["SAMPLING_RATE"]) * alpha
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"The config inside the file is not PySlowFast's ({type(error).__name__}); give a config with --config"
        ) from None
    _refuse_unsupported(config)
    settings: dict[str, Any] = {"alpha": alpha, "slow_frames": slow_frames, "slow_stride": slow_stride}
    settings |= {"dropout": float(config.get("MODEL.DROPOUT_RATE", 0.5)), **_nonlocal(config), **_pixels(config)}
    if "AUDIO_FRAME_NUM" in data:
        settings |= {"audio_frames": int(data["AUDIO_FRAME_NUM"]), "mel_bins": int(data["AUDIO_MEL_NUM"])}
    if config.get("DETECTION.ENABLE", False):
        return {"model": {**settings, **_roi_head(config)}, "data": {"kind": "ava", **_frame_sizes(config)}}
    return {"model": settings, "data": {"kind": _clip_benchmark(config), **_frame_sizes(config)}}


def _refuse_unsupported(config: _PySlowFastConfig) -> None:
    config.require("MODEL.ARCH", "slowfast", "avslowfast")
    config.require("DATA.INPUT_CHANNEL_NUM", [3, 3], [3, 3, 1])
    config.require("RESNET.TRANS_FUNC", "bottleneck_transform")
    config.require("RESNET.NUM_GROUPS", 1)
    config.require("RESNET.STRIDE_1X1", False)
    config.require("SLOWFAST.FUSION_CONV_CHANNEL_RATIO", 2)
    config.of_stages("RESNET.NUM_BLOCK_TEMP_KERNEL", (3, 4, 6, 3))  # the weights hold its values


def _nonlocal(config: _PySlowFastConfig) -> dict[str, Any]:
    """The form and pooling of the non-local blocks; the weights tell where they are."""
    config.require("NONLOCAL.INSTANTIATION", "dot_product", "softmax")
    settings = {"nonlocal_form": config.get("NONLOCAL.INSTANTIATION", "dot_product")}
    locations = config.get("NONLOCAL.LOCATION", [[[]]] * 4)
    others = [blocks for i, stage in enumerate(locations) for j, blocks in enumerate(stage) if (i, j) != (2, 0)]
    if any(others):
        raise ValueError(
            f"NONLOCAL.LOCATION is {locations} in the file's config, but avdet has them in Slow's res4 only"
        )
    if not locations[2][0]:
        return settings
    groups = config.get("NONLOCAL.GROUP", [[1]] * 4)
    if groups[2][0] != 1:
        raise ValueError(f"NONLOCAL.GROUP is {groups} in the file's config, but avdet's non-local blocks have 1 group")
    return {**settings, "nonlocal_pool": tuple(config.get("NONLOCAL.POOL", [[[1, 2, 2]]] * 4)[2][0])}


def _pixels(config: _PySlowFastConfig) -> dict[str, Any]:
    """AVA's frames are normalised as BGR, and become RGB unless AVA.BGR; DATA.REVERSE_INPUT_CHANNEL swaps at last."""
    mean, std = (config.get(f"DATA.{name}", [value] * 3) for name, value in (("MEAN", 0.45), ("STD", 0.225)))
    bgr = bool(config.get("DATA.REVERSE_INPUT_CHANNEL", False))
    if config.get("DETECTION.ENABLE", False):
        mean, std = mean[::-1], std[::-1]
        bgr = bgr != bool(config.get("AVA.BGR", False))
    return {"pixel_mean": tuple(mean), "pixel_std": tuple(std), "channel_order": "bgr" if bgr else "rgb"}


def _roi_head(config: _PySlowFastConfig) -> dict[str, Any]:
    config.require("MODEL.HEAD_ACT", "sigmoid")
    config.require("DETECTION.SPATIAL_SCALE_FACTOR", 16)
    strides, dilations = (
        config.of_stages(f"RESNET.SPATIAL_{name}", default)
        for name, default in (("STRIDES", (1, 2, 2, 1)), ("DILATIONS", (1, 1, 1, 2)))
    )
    if strides != [1, 2, 2, 1] or dilations[:3] != [1, 1, 1]:
        raise ValueError(
            f"RESNET.SPATIAL_STRIDES and RESNET.SPATIAL_DILATIONS are {strides} and {dilations} in the file's config, "
            "but a detector of avdet has strides 1, 2, 2, 1 and dilates res5 only"
        )
    return {
        "roi_aligned": bool(config.get("DETECTION.ALIGNED", True)),
        "roi_resolution": int(config.get("DETECTION.ROI_XFORM_RESOLUTION", 7)),
        "res5_dilation": dilations[3],
    }


def _clip_benchmark(config: _PySlowFastConfig) -> str:
    """The benchmark whose classes are scored alike: by softmax, or by sigmoids."""
    config.require("MODEL.HEAD_ACT", "softmax", "sigmoid")
    strides, dilations = (
        config.of_stages("RESNET.SPATIAL_STRIDES", (1, 2, 2, 2)),
        config.of_stages("RESNET.SPATIAL_DILATIONS", (1, 1, 1, 1)),
    )
    if (strides, dilations) != ([1, 2, 2, 2], [1, 1, 1, 1]):
        raise ValueError(
            f"RESNET.SPATIAL_STRIDES and RESNET.SPATIAL_DILATIONS are {strides} and {dilations} in the file's config, "
            "but a classifier of avdet has strides 1, 2, 2, 2 and no dilation"
        )
    return "charades" if config.get("MODEL.HEAD_ACT", "softmax") == "sigmoid" else "kinetics"


def _frame_sizes(config: _PySlowFastConfig) -> dict[str, Any]:
    names = {
        "TRAIN_JITTER_SCALES": "train_short_side",
        "TRAIN_CROP_SIZE": "train_crop",
        "TEST_CROP_SIZE": "test_short_side",
        "TARGET_FPS": "nominal_fps",
    }
    data = config.content["DATA"]
    return {setting: data[name] for name, setting in names.items() if name in data}


_PYTORCHVIDEO_FRAMES: dict[
    tuple[Any, ...], tuple[int, int]
] = {  # T and tau by (stage_blocks, res4_temporal_blocks, fast_to_slow_kernel)
    ((3, 4, 6, 3), None, 7): (8, 8),  # slowfast_r50, slowfast_r50_detection
    ((3, 4, 23, 3), None, 5): (8, 8),  # slowfast_r101
    ((3, 4, 23, 3), 6, 5): (16, 8),  # slowfast_16x8_r101_50_50
}


def pytorchvideo_settings(model: Mapping[str, Any], *, detector: bool) -> Settings:
    """Returns the settings of PyTorchVideo's published models, which are in no file; model: from the weights."""
    network = tuple(model.get(name) for name in ("stage_blocks", "res4_temporal_blocks", "fast_to_slow_kernel"))
    time: dict[str, Any] = {}
    if network in _PYTORCHVIDEO_FRAMES:
        frames, stride = _PYTORCHVIDEO_FRAMES[network]
        time = {"alpha": 4, "slow_frames": frames, "slow_stride": stride}
    head = {"roi_aligned": False} if detector else {}
    return {"model": {**time, **head}, "data": {"kind": "ava" if detector else "kinetics"}}


_MMACTION2_FRAMES = {5: (4, 16, 8), 7: (8, 8, 4)}  # T, tau and alpha by fast_to_slow_kernel
_MMACTION2_MEAN, _MMACTION2_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def mmaction2_settings(model: Mapping[str, Any], text: str, *, detector: bool) -> Settings:
    """Returns the settings of MMAction2's SlowFast.

    model: from the weights. text: the file's name, and the config in it if there is one.
    Raises ValueError if the config has a part that avdet does not have.
    """
    if re.search(r"temporal_pool_(mode|type)\s*=\s*['\"]max|temporal-max", text):
        raise ValueError("temporal_pool_mode is max in the file's config, but avdet's heads average over time")
    bgr = re.search(r"\bto_(bgr|rgb)\s*=\s*True", text) is not None  # either reverses its frames, which are RGB
    clip_len, interval, resample, alpha = (
        _number(text, name) for name in ("clip_len", "frame_interval", "resample_rate", "speed_ratio")
    )
    frames, stride, ratio = _MMACTION2_FRAMES.get(model.get("fast_to_slow_kernel", 0), (None, None, None))
    if clip_len and interval and resample and alpha:
        frames, stride, ratio = clip_len // resample, interval * resample, alpha
    time = {} if frames is None else {"alpha": ratio, "slow_frames": frames, "slow_stride": stride}
    mean, std = (
        tuple(round(value / 255, 6) for value in _numbers(text, name) or default)[:: -1 if bgr else 1]
        for name, default in (("mean", _MMACTION2_MEAN), ("std", _MMACTION2_STD))
    )
    settings = {**time, "slow_sampling": "stride", "pixel_mean": mean, "pixel_std": std}
    settings["channel_order"] = "bgr" if bgr else "rgb"
    if detector:
        head = {"roi_resolution": _number(text, "output_size") or 8, "roi_aligned": True, "res5_dilation": 1}
        return {"model": {**settings, **head}, "data": {"kind": "ava"}}
    # The clip head pools the whole frame: windows of the test frames' size.
    return {"model": settings, "data": {"kind": "kinetics", "train_crop": 256, "test_short_side": 256}}


def _number(text: str, name: str) -> int | None:
    match = re.search(rf"\b{name}\s*=\s*(\d+)", text)
    return int(match[1]) if match else None


def _numbers(text: str, name: str) -> tuple[float, ...] | None:
    match = re.search(rf"\b{name}\s*=\s*[\[(]([\d.,\s]+)[\])]", text)
    values = tuple(float(value) for value in match[1].split(",") if value.strip()) if match else ()
    return values if len(values) == 3 else None
