"""Reads the settings of sections model and data from PySlowFast's config; refuses what avdet cannot compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from avdet.bounded_yaml import parse_yaml

__all__ = ["Settings", "pyslowfast_settings"]

Settings = dict[str, dict[str, Any]]  # by section: model and data


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
        config = _PySlowFastConfig(parse_yaml(text))
        is_slow = config.get("MODEL.ARCH") == "slow"
        data, alpha = config.content["DATA"], 1 if is_slow else int(config.content["SLOWFAST"]["ALPHA"])
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
    config.require("MODEL.ARCH", "slowfast", "avslowfast", "slow")
    inputs = [[3]] if config.get("MODEL.ARCH") == "slow" else [[3, 3], [3, 3, 1]]
    config.require("DATA.INPUT_CHANNEL_NUM", *inputs)
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
    """The benchmark that is tested alike: one clip by softmax, several by softmax, or by sigmoids."""
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
    if config.get("MODEL.HEAD_ACT", "softmax") == "sigmoid":
        return "charades"
    return "ssv2" if str(config.get("TRAIN.DATASET", "")).endswith("ssv2") else "kinetics"


def _frame_sizes(config: _PySlowFastConfig) -> dict[str, Any]:
    names = {
        "TRAIN_JITTER_SCALES": "train_short_side",
        "TRAIN_CROP_SIZE": "train_crop",
        "TEST_CROP_SIZE": "test_short_side",
        "TARGET_FPS": "nominal_fps",
    }
    data = config.content["DATA"]
    return {setting: data[name] for name, setting in names.items() if name in data}
