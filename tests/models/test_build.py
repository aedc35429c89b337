"""Parameters and multiply-adds of the paper's networks, counted on the meta device."""

from __future__ import annotations

import dataclasses
import functools
import logging
import re
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from avdet.config import load_config
from avdet.models.action_model import ActionModel
from avdet.models.avslowfast import AVSlowFast
from avdet.models.build import build_model
from avdet.models.drop_pathway import AudioState, no_audio
from avdet.models.nonlocal_block import NonLocal
from avdet.settings import ModelConfig
from tests.conftest import REPOSITORY
from tests.models.tiny import tiny_batch, tiny_config

EVERYWHERE = ("pool1", "res2", "res3", "res4")
EIGHT_BY_EIGHT: dict[str, Any] = {"slow_frames": 8, "slow_stride": 8, "alpha": 4, "fast_to_slow_kernel": 7}


COST = re.compile(r"([\d.]+) G multiply-adds per clip and forward pass at (\d+)x\2")
CONFIGS = sorted((REPOSITORY / "configs").rglob("*.yaml"))


def build_on_meta(config: ModelConfig, head: Literal["roi", "clip"] = "clip") -> ActionModel:
    with torch.device("meta"):
        return build_model(config, num_classes=400, head=head).eval()


def giga_multiply_adds(config: ModelConfig, size: int = 256) -> float:
    """Convolutions and linear layers of one view with aligned audio, with the AVS loss's tap at pool5."""
    model = build_on_meta(config)
    frames = torch.zeros(1, 3, config.clip_frames, size, size, device="meta")
    log_mel = torch.zeros(1, 1, config.audio_frames, config.mel_bins, device="meta")
    state = (
        AudioState(log_mel, torch.zeros(1, dtype=torch.long, device="meta"))
        if config.uses_audio
        else no_audio(frames.device)
    )
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        features = model.backbone(frames, state)
        model.head(features, 1)
        if "pool5" in config.avs_stages:
            slow, fast = features.visual
            audio = features.audio.features
            pair = dataclasses.replace(features.audio, features=torch.cat([audio, audio]), paired=True, mixed=False)
            assert isinstance(model.backbone, AVSlowFast)
            model.backbone.fusion["pool5"](slow, fast, pair)
    return counter.get_total_flops() / 2e9


def test_settings_of_other_code_bases_reach_the_network() -> None:
    """Fast with its own depth, res5 with stride 1 and no dilation, RoIAlign 8 x 8 without the shift, BGR, strides."""
    config = tiny_config(
        audio=False,
        stage_blocks=(1, 1, 2, 1),
        fast_blocks=(1, 1, 1, 1),
        nonlocal_blocks=(0,),
        nonlocal_pool=(2, 2, 2),
        fast_to_slow_norm=False,
        res5_dilation=1,
        roi_resolution=8,
        roi_aligned=False,
        pixel_mean=(0.5, 0.4, 0.3),
        channel_order="bgr",
        slow_sampling="stride",
    )
    model = build_model(config, num_classes=3, head="roi")
    backbone, roi_align = model.backbone, model.head.roi_align
    assert isinstance(backbone, AVSlowFast) and isinstance(roi_align, nn.Module)  # of either library
    assert len(list(backbone.slow.res4.children())) == 3 and len(list(backbone.fast.res4.children())) == 1
    assert (vars(roi_align)["output_size"], vars(roi_align)["aligned"]) == ((8, 8), False)
    nonlocal_block, conv = (
        backbone.slow.get_submodule(name) for name in ("res4.nonlocal0", "res5.block0.branch.b.conv")
    )
    assert isinstance(nonlocal_block, NonLocal) and nonlocal_block.pool == (2, 2, 2)
    assert isinstance(conv, nn.Conv2d) and (conv.stride, conv.dilation) == ((1, 1), (1, 1))
    pack = backbone.pack_pathways
    assert pack.strided and pack.channels == (2, 1, 0) and pack.scales[0] == (1 / (255 * 0.225), 0.3 / 0.225)
    assert not any("fast_to_slow.conv.norm" in name for name in model.state_dict())
    assert model.eval().predict(tiny_batch()).shape == (4, 3)


@pytest.mark.parametrize(
    "path",
    [path if path.parent.name in {"ava", "custom"} else pytest.param(path, marks=pytest.mark.slow) for path in CONFIGS],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_the_costs_in_the_configs_comments(path: Path) -> None:
    """The backbone alone; a detector's head adds next to nothing."""
    config, stated = load_config(path), COST.search(path.read_text())
    assert stated is not None
    cost, size = stated.groups()
    head: Literal["roi", "clip"] = "roi" if config.data.kind == "ava" else "clip"
    counted = backbone_multiply_adds(config.model.model_dump_json(), head, int(size))
    assert counted == pytest.approx(float(cost), rel=0.003, abs=0.05)  # one decimal


@functools.cache
def backbone_multiply_adds(config_json: str, head: Literal["roi", "clip"], size: int) -> float:
    """In 1e9. Cached because several configs have one model."""
    config = ModelConfig.model_validate_json(config_json)
    model = build_on_meta(config, head)
    frames = torch.zeros(1, 3, config.clip_frames, size, size, device="meta")
    audio = torch.zeros(1, 1, config.audio_frames, config.mel_bins, device="meta")
    state = AudioState(audio, torch.zeros(1, dtype=torch.long, device="meta"))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.backbone(frames, state if config.uses_audio else no_audio(frames.device))
    return counter.get_total_flops() / 2e9


def millions(config: ModelConfig) -> float:
    return sum(p.numel() for p in build_on_meta(config).parameters()) / 1e6


def test_parameters() -> None:
    """Millions in the authors' code."""
    synced: dict[str, Any] = {"avs_stages": ("res3", "res4", "pool5")}
    assert millions(ModelConfig()) == pytest.approx(41.82, abs=0.005)
    assert millions(ModelConfig(**synced)) == pytest.approx(44.20, abs=0.005)
    assert millions(ModelConfig(**synced, **EIGHT_BY_EIGHT)) == pytest.approx(44.55, abs=0.005)


def test_parameters_by_pathway() -> None:
    """Millions in the authors' code."""
    counts = {"slow": 0.0, "fast": 0.0, "audio": 0.0, "fast_to_slow": 0.0, "audio_lateral": 0.0, "head": 0.0}
    for name, parameter in build_on_meta(ModelConfig()).named_parameters():
        (part,) = (part for part in counts if part in name.split("."))
        counts[part] += parameter.numel() / 1e6
    expected = {"slow": 32.78, "fast": 0.51, "audio": 6.12, "fast_to_slow": 0.21, "audio_lateral": 0.86, "head": 1.33}
    assert counts == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("settings", "size", "expected"),
    [
        ({}, 256, 39.6),
        ({"avs_stages": ("pool5",)}, 224, 31.40),
        ({"avs_stages": ("pool5",)}, 256, 39.78),
        ({"avs_stages": ("pool5",), **EIGHT_BY_EIGHT}, 224, 53.80),
        ({"avs_stages": ("pool5",), **EIGHT_BY_EIGHT}, 256, 69.03),
        ({"audio": False, "fast_to_slow_stages": EVERYWHERE}, 256, 36.1),
    ],
)
def test_multiply_adds(settings: dict[str, Any], size: int, expected: float) -> None:
    """In 1e9, in the authors' code."""
    assert giga_multiply_adds(ModelConfig(**settings), size) == pytest.approx(expected, rel=0.003)


@pytest.mark.parametrize(
    ("stages", "expected"),
    [((), 38.4), (("res4",), 39.1), (("res3", "res4"), 39.8), (("res2", "res3", "res4"), 40.2)],
)
def test_multiply_adds_by_fusion_stages(stages: tuple[str, ...], expected: float) -> None:
    """The paper's figures hold if F->S and A->FS are at the same stages."""
    config = ModelConfig(fusion_stages=stages, fast_to_slow_stages=stages, avs_stages=("pool5",))
    assert giga_multiply_adds(config) == pytest.approx(expected, rel=0.003)


@pytest.mark.parametrize(("beta_audio", "expected"), [(1 / 8, 36.0), (1 / 4, 36.8), (1 / 2, 39.8), (1.0, 51.9)])
def test_multiply_adds_by_audio_width(beta_audio: float, expected: float) -> None:
    config = ModelConfig(beta_audio=beta_audio, avs_stages=("pool5",))
    assert giga_multiply_adds(config) == pytest.approx(expected, rel=0.003)


@pytest.mark.parametrize(
    "settings",
    [
        {"stage_blocks": (3, 4, 23, 3), "res4_temporal_blocks": 6, "audio_blocks": (3, 4, 6, 3)},
        {"stage_blocks": (3, 4, 23, 3), "nonlocal_blocks": (6, 13, 20), **EIGHT_BY_EIGHT},
        {"slow_frames": 16, "slow_stride": 8, "alpha": 4, "audio_frames": 256},
        {"fusion": "a_to_f_to_s", "fusion_stages": EVERYWHERE, "fast_to_slow_stages": EVERYWHERE},
        {"fusion": "nonlocal", "avs_stages": ("res2", "res3", "res4", "pool5")},
        {"audio": "only", "audio_blocks": (1, 1, 1, 1)},
    ],
)
def test_other_networks_can_be_built_and_run(settings: dict[str, Any]) -> None:
    assert giga_multiply_adds(ModelConfig(**settings), 224) > 0.1


@pytest.mark.parametrize(
    "settings",
    [
        {"stage_blocks": (1, 1, 3, 1), "res4_temporal_blocks": 1, "audio_blocks": (1, 1, 1, 1)},
        {"slow_frames": 8, "slow_stride": 8, "alpha": 4, "fast_to_slow_kernel": 7, "fast_to_slow_stages": EVERYWHERE},
        {"slow_frames": 16, "slow_stride": 8, "alpha": 4, "audio_frames": 256, "nonlocal_blocks": (0,)},
        {"slow_frames": 4, "slow_stride": 16, "alpha": 8, "nonlocal_blocks": (0,), "nonlocal_form": "softmax"},
        {"beta_audio": 1 / 8},
        {"beta_audio": 1.0},
        {"audio": False, "fast_to_slow_stages": EVERYWHERE},
    ],
)
def test_tiny_models_train_and_predict(settings: dict[str, Any]) -> None:
    """Every parameter gets a gradient."""
    config = tiny_config(**{"audio_frames": 128, **settings})
    model = build_model(config, num_classes=3, head="roi")
    batch = tiny_batch(frames=config.clip_frames, audio_shape=(config.audio_frames, config.mel_bins))
    model(batch)["action"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert model.eval().predict(batch).shape == (4, 3)


def test_temporal_kernels_of_r101() -> None:
    """SlowFast's R101_50_50: kernel 3 in the first six blocks of res4 only."""
    config = ModelConfig(stage_blocks=(3, 4, 23, 3), res4_temporal_blocks=6)
    state = build_on_meta(config).state_dict()
    kernels = [state[f"backbone.slow.res4.block{i}.branch.a.conv.weight"].shape[2] for i in range(23)]
    assert kernels == [3] * 6 + [1] * 17


def test_detection_keeps_the_resolution_of_res4() -> None:
    with torch.device("meta"):
        model = build_model(ModelConfig(audio=False), num_classes=80, head="roi").eval()
        frames = torch.zeros(1, 3, 32, 224, 224)
        slow, fast = model.backbone(frames, no_audio(frames.device)).visual
    assert slow.shape == (1, 2048, 4, 14, 14) and fast.shape == (1, 256, 32, 14, 14)


def test_logs_whose_roi_align_is_used(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), torch.device("meta"):
        build_model(ModelConfig(), num_classes=80, head="roi")
    assert "RoIAlign is" in caplog.text
