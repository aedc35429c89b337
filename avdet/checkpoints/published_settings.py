"""Settings of the models that PyTorchVideo, MMAction2 and GluonCV publish, whose files hold weights and little else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from avdet.checkpoints.pyslowfast_config import Settings

__all__ = ["gluoncv_settings", "mmaction2_settings", "pytorchvideo_settings"]

_R50, _R101 = (3, 4, 6, 3), (3, 4, 23, 3)
_PYTORCHVIDEO_FRAMES: dict[tuple[Any, ...], tuple[int, int, int]] = {
    # T, tau and alpha by stage_blocks, res4_temporal_blocks, fast_to_slow_kernel
    (_R50, None, 5): (4, 16, 8),
    (_R50, None, 7): (8, 8, 4),  # slowfast_r50, slowfast_r50_detection
    (_R101, None, 5): (8, 8, 4),  # slowfast_r101
    (_R101, 6, 5): (16, 8, 4),  # slowfast_16x8_r101_50_50
    (_R50, None, None): (8, 8, 1),  # slow_r50, or by the file's name; slow_r50_detection is 4x16
}


def pytorchvideo_settings(model: Mapping[str, Any], name: str, *, num_classes: int, detector: bool) -> Settings:
    """Returns the settings of PyTorchVideo's published models, which are in no file.

    model: from the weights. name: of the file; SLOW_4x16_R50 and SLOW_8x8_R50 differ in nothing else. Those of Charades
    (157 classes) and Something-Something (174) were trained on BGR frames with PySlowFast.
    """
    network = tuple(model.get(key) for key in ("stage_blocks", "res4_temporal_blocks", "fast_to_slow_kernel"))
    frames = _PYTORCHVIDEO_FRAMES.get(network)
    if frames and frames[2] == 1 and (detector or "4x16" in name):
        frames = 4, 16, 1
    settings = {} if frames is None else dict(zip(("slow_frames", "slow_stride", "alpha"), frames, strict=True))
    if detector:
        return {"model": {**settings, "roi_aligned": False}, "data": {"kind": "ava"}}
    kind = {157: "charades", 174: "ssv2"}.get(num_classes, "kinetics")
    order = {} if kind == "kinetics" else {"channel_order": "bgr"}
    return {"model": {**settings, **order}, "data": {"kind": kind}}


_GLUONCV_FRAMES = {(_R50, 5): (4, 16), (_R50, 7): (8, 8), (_R101, 5): (8, 8)}  # by stage_blocks, fast_to_slow_kernel


def gluoncv_settings(model: Mapping[str, Any], name: str, *, num_classes: int) -> Settings:
    """Returns the settings of GluonCV's SlowFast in torch.

    model: from the weights. name: of the file; if it has no "4x16" and the like, T and tau are those of the published
    model with this network. The pixels are normalised as MMAction2's; the clip head pools the whole frame.
    """
    stated = re.search(r"slowfast_(\d+)x(\d+)_", name)
    frames = _GLUONCV_FRAMES.get((model["stage_blocks"], model.get("fast_to_slow_kernel", 0)))
    if stated:
        frames = int(stated[1]), int(stated[2])
    elif (frames, num_classes) == ((8, 8), 174):  # slowfast_16x8_resnet50_sthsthv2
        frames = 16, 8
    time = {} if frames is None else {"alpha": frames[1] // 2, "slow_frames": frames[0], "slow_stride": frames[1]}
    pixels = {"pixel_mean": (0.485, 0.456, 0.406), "pixel_std": (0.229, 0.224, 0.225)}
    return {"model": {**time, "slow_sampling": "stride", **pixels}, "data": {"kind": "kinetics", **_WHOLE_FRAME}}


# The clip head pools the whole frame: windows of the test frames' size.
_WHOLE_FRAME = {"train_crop": 256, "test_short_side": 256}
_MMACTION2_FRAMES = {5: (4, 16, 8), 7: (8, 8, 4)}  # T, tau and alpha by fast_to_slow_kernel
_MMACTION2_MEAN, _MMACTION2_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def mmaction2_settings(model: Mapping[str, Any], text: str, *, detector: bool) -> Settings:
    """Returns the settings of MMAction2's SlowFast and SlowOnly.

    model: from the weights. text: the file's name, and the config in it if there is one. SlowOnly's frames are in
    either, as clip_len and frame_interval or as "4x16x1".
    Raises ValueError if the config has a part that avdet does not have.
    """
    if re.search(r"multilabel\s*=\s*False|multisports", text):
        raise ValueError("the file's classes exclude one another (MultiSports), but avdet's detectors score each alone")
    if re.search(r"temporal_pool_(mode|type)\s*=\s*['\"]max|temporal-max", text):
        raise ValueError("temporal_pool_mode is max in the file's config, but avdet's heads average over time")
    bgr = re.search(r"\bto_(bgr|rgb)\s*=\s*True", text) is not None  # either reverses its frames, which are RGB
    clip_len, interval, resample, alpha = (
        _number(text, name) for name in ("clip_len", "frame_interval", "resample_rate", "speed_ratio")
    )
    frames, stride, ratio = _MMACTION2_FRAMES.get(model.get("fast_to_slow_kernel", 0), (None, None, None))
    stated = re.search(r"(?<!\d)(\d+)x(\d+)x1(?!\d)", text)
    if "pathways" in model and clip_len and interval:
        frames, stride, ratio = clip_len, interval, 1
    elif "pathways" in model and stated:
        frames, stride, ratio = int(stated[1]), int(stated[2]), 1
    elif clip_len and interval and resample and alpha:
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
    return {"model": settings, "data": {"kind": "kinetics", **_WHOLE_FRAME}}


def _number(text: str, name: str) -> int | None:
    match = re.search(rf"\b{name}\s*=\s*(\d+)", text)
    return int(match[1]) if match else None


def _numbers(text: str, name: str) -> tuple[float, ...] | None:
    match = re.search(rf"\b{name}\s*=\s*[\[(]([\d.,\s]+)[\])]", text)
    values = tuple(float(value) for value in match[1].split(",") if value.strip()) if match else ()
    return values if len(values) == 3 else None
