"""Settings that PySlowFast's and MMAction2's configs hold, and fields that avdet refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from avdet.checkpoints.published_settings import gluoncv_settings, mmaction2_settings, pytorchvideo_settings
from avdet.checkpoints.pyslowfast_config import pyslowfast_settings
from avdet.config import parse_config

AVA: dict[str, Any] = {  # of PySlowFast's AVA/c2/SLOWFAST_32x2_R101_50_50.yaml
    "DATA": {"NUM_FRAMES": 32, "SAMPLING_RATE": 2, "INPUT_CHANNEL_NUM": [3, 3], "TEST_CROP_SIZE": 256,
             "TRAIN_CROP_SIZE": 224, "TRAIN_JITTER_SCALES": [256, 320], "TARGET_FPS": 30},
    "DETECTION": {"ENABLE": True, "ALIGNED": False},
    "AVA": {"BGR": False},
    "SLOWFAST": {"ALPHA": 4, "FUSION_CONV_CHANNEL_RATIO": 2},
    "RESNET": {"SPATIAL_DILATIONS": [[1, 1], [1, 1], [1, 1], [2, 2]], "NUM_GROUPS": 1, "STRIDE_1X1": False,
               "SPATIAL_STRIDES": [[1, 1], [2, 2], [2, 2], [1, 1]], "TRANS_FUNC": "bottleneck_transform"},
    "NONLOCAL": {"LOCATION": [[[], []], [[], []], [[6, 13, 20], []], [[], []]], "GROUP": [[1, 1]] * 4,
                 "INSTANTIATION": "dot_product", "POOL": [[[2, 2, 2], [2, 2, 2]]] * 4},
    "MODEL": {"ARCH": "slowfast", "DROPOUT_RATE": 0.5, "HEAD_ACT": "sigmoid"},
}  # fmt: skip
CLIP = {
    "DETECTION.ENABLE": False,
    "MODEL.HEAD_ACT": "softmax",
    "RESNET.SPATIAL_STRIDES": [[1, 1], [2, 2], [2, 2], [2, 2]],
    "RESNET.SPATIAL_DILATIONS": [[1, 1]] * 4,
}


def config_text(changes: dict[str, Any]) -> str:
    config = copy.deepcopy(AVA)
    for field, value in changes.items():
        section, name = field.split(".")
        config[section][name] = value
    return yaml.safe_dump(config)


def test_pyslowfasts_ava_config() -> None:
    config = parse_config(pyslowfast_settings(config_text({})))
    model = config.model
    assert (model.slow_frames, model.slow_stride, model.alpha) == (8, 8, 4)
    assert (model.roi_aligned, model.roi_resolution, model.res5_dilation) == (False, 7, 2)
    assert (model.nonlocal_pool, model.nonlocal_form) == ((2, 2, 2), "dot_product")
    assert (model.pixel_mean, model.pixel_std, model.channel_order) == ((0.45,) * 3, (0.225,) * 3, "rgb")
    assert (config.data.kind, config.data.test_short_side, config.data.nominal_fps) == ("ava", 256, 30)


@pytest.mark.parametrize(
    ("bgr", "reverse", "order"),
    [(False, False, "rgb"), (True, False, "bgr"), (False, True, "bgr"), (True, True, "rgb")],
)
def test_colours_of_avas_frames(bgr: bool, reverse: bool, order: str) -> None:
    """AVA's mean is of blue, green and red; PySlowFast reverses the channels if either field says so."""
    changes = {"AVA.BGR": bgr, "DATA.REVERSE_INPUT_CHANNEL": reverse, "DATA.MEAN": [0.1, 0.2, 0.3]}
    model = pyslowfast_settings(config_text(changes))["model"]
    assert (model["channel_order"], model["pixel_mean"]) == (order, (0.3, 0.2, 0.1))


@pytest.mark.parametrize(("activation", "kind"), [("softmax", "kinetics"), ("sigmoid", "charades")])
def test_pyslowfasts_classifiers(activation: str, kind: str) -> None:
    changes = CLIP | {"MODEL.HEAD_ACT": activation, "AVA.BGR": True, "DATA.MEAN": [0.1, 0.2, 0.3]}
    settings = pyslowfast_settings(config_text(changes | {"DATA.REVERSE_INPUT_CHANNEL": True}))
    config = parse_config(settings)
    assert (config.data.kind, config.model.channel_order, config.model.pixel_mean) == (kind, "bgr", (0.1, 0.2, 0.3))
    assert "roi_aligned" not in settings["model"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MODEL.ARCH", "mvit"),
        ("MODEL.HEAD_ACT", "softmax"),
        ("RESNET.TRANS_FUNC", "basic_transform"),
        ("RESNET.NUM_GROUPS", 32),
        ("RESNET.STRIDE_1X1", True),
        ("RESNET.SPATIAL_STRIDES", [[1, 1], [2, 2], [2, 2], [2, 2]]),
        ("RESNET.SPATIAL_DILATIONS", [[1, 1], [1, 1], [2, 2], [4, 4]]),
        ("RESNET.SPATIAL_DILATIONS", [[1, 1], [1, 1], [1, 1], [2, 1]]),
        ("SLOWFAST.FUSION_CONV_CHANNEL_RATIO", 1),
        ("NONLOCAL.GROUP", [[1, 1], [1, 1], [4, 4], [1, 1]]),
        ("NONLOCAL.INSTANTIATION", "gaussian"),
        ("NONLOCAL.LOCATION", [[[], []], [[1, 3], []], [[1, 3, 5], []], [[], []]]),
        ("RESNET.NUM_BLOCK_TEMP_KERNEL", [[3, 3], [4, 4], [6, 23], [3, 3]]),
        ("DETECTION.SPATIAL_SCALE_FACTOR", 32),
        ("DATA.INPUT_CHANNEL_NUM", [3]),
        ("MODEL.ARCH", "c2d"),
    ],
)
def test_fields_that_avdet_lacks_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field}.* in the file's config, but"):
        pyslowfast_settings(config_text({field: value}))


def test_a_dilated_classifier_is_refused() -> None:
    with pytest.raises(ValueError, match="but a classifier of avdet has strides 1, 2, 2, 2"):
        pyslowfast_settings(config_text(CLIP | {"RESNET.SPATIAL_DILATIONS": AVA["RESNET"]["SPATIAL_DILATIONS"]}))


R50, R101 = (3, 4, 6, 3), (3, 4, 23, 3)


@pytest.mark.parametrize(
    ("network", "name", "detector", "time"),
    [
        ((R50, None, 5), "SLOWFAST_4x16_R50.pyth", False, (4, 16, 8)),
        ((R50, None, 7), "SLOWFAST_8x8_R50.pyth", False, (8, 8, 4)),
        ((R101, None, 5), "SLOWFAST_8x8_R101.pyth", False, (8, 8, 4)),
        ((R101, 6, 5), "SLOWFAST_16x8_R101_50_50.pyth", False, (16, 8, 4)),
        ((R101, 6, 9), "other.pyth", False, None),
        ((R50, None, None), "SLOW_8x8_R50.pyth", False, (8, 8, 1)),
        ((R50, None, None), "SLOW_4x16_R50.pyth", False, (4, 16, 1)),
        ((R50, None, None), "slow.pyth", True, (4, 16, 1)),
        ((R50, 0, None), "slow.pyth", False, None),
    ],
)
def test_published_models_of_pytorchvideo(
    network: tuple[Any, ...], name: str, detector: bool, time: tuple[int, int, int] | None
) -> None:
    model = dict(zip(("stage_blocks", "res4_temporal_blocks", "fast_to_slow_kernel"), network, strict=True))
    settings = pytorchvideo_settings(model, name, num_classes=400, detector=detector)["model"]
    assert time == (tuple(settings[key] for key in ("slow_frames", "slow_stride", "alpha")) if time else None)
    assert ("slow_frames" in settings) is (time is not None) and "channel_order" not in settings


@pytest.mark.parametrize(("classes", "kind"), [(157, "charades"), (174, "ssv2")])
def test_pytorchvideos_models_of_charades_and_something_something_take_bgr(classes: int, kind: str) -> None:
    settings = pytorchvideo_settings({"stage_blocks": R50}, "x.pyth", num_classes=classes, detector=False)
    assert (settings["model"]["channel_order"], settings["data"]["kind"]) == ("bgr", kind)


@pytest.mark.parametrize(
    ("blocks", "kernel", "name", "classes", "time"),
    [
        (R50, 5, "best.pth", 400, (4, 16, 8)),
        (R50, 7, "best.pth", 400, (8, 8, 4)),
        (R50, 7, "best.pth", 174, (16, 8, 4)),
        (R101, 5, "best.pth", 400, (8, 8, 4)),
        (R101, 5, "slowfast_16x8_resnet101_50_50_kinetics400.pth", 400, (16, 8, 4)),
    ],
)
def test_published_models_of_gluoncv(
    blocks: tuple[int, ...], kernel: int, name: str, classes: int, time: tuple[int, int, int]
) -> None:
    network = {"stage_blocks": blocks, "fast_to_slow_kernel": kernel}
    model = gluoncv_settings(network, name, num_classes=classes)["model"]
    assert (model["slow_frames"], model["slow_stride"], model["alpha"]) == time


def test_mmaction2_without_a_config_follows_from_the_lateral_kernel() -> None:
    for kernel, time in ((5, (4, 16, 8)), (7, (8, 8, 4))):
        model = mmaction2_settings({"fast_to_slow_kernel": kernel}, "", detector=True)["model"]
        assert (model["slow_frames"], model["slow_stride"], model["alpha"]) == time


def test_mmaction2s_config() -> None:
    """Mean and standard deviation are of the channels, here blue, green and red."""
    text = "resample_rate=8, speed_ratio=8 clip_len=32, frame_interval=2 mean=[\n102, 51,\n127.5], to_bgr = True"
    settings = mmaction2_settings({"fast_to_slow_kernel": 7}, text, detector=False)
    model = parse_config(settings).model
    assert (model.slow_frames, model.slow_stride, model.alpha, model.channel_order) == (4, 16, 8, "bgr")
    assert model.pixel_mean == (0.5, 0.2, 0.4) and model.pixel_std == (0.225, 0.224, 0.229)
    assert settings["data"]["train_crop"] == 256
