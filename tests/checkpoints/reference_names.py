"""State dicts with the names of PySlowFast and other code bases: width 8, one block per stage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

NORM = ("weight", "bias", "running_mean", "running_var")
CONFIG = """
DATA: {NUM_FRAMES: 4, SAMPLING_RATE: 2, AUDIO_FRAME_NUM: 32, AUDIO_MEL_NUM: 16}
SLOWFAST: {ALPHA: 2}
NONLOCAL: {INSTANTIATION: softmax}
MODEL: {DROPOUT_RATE: 0.5}
"""
AVA_CONFIG = """
DATA: {NUM_FRAMES: 4, SAMPLING_RATE: 2, REVERSE_INPUT_CHANNEL: true, TEST_CROP_SIZE: 224}
SLOWFAST: {ALPHA: 2}
DETECTION: {ENABLE: true, ALIGNED: false, ROI_XFORM_RESOLUTION: 5}
MODEL: {HEAD_ACT: sigmoid, DROPOUT_RATE: 0.5}
"""


SLOW_CONFIG = """
DATA: {NUM_FRAMES: 2, SAMPLING_RATE: 8, INPUT_CHANNEL_NUM: [3]}
SLOWFAST: {ALPHA: 8}
MODEL: {ARCH: slow, DROPOUT_RATE: 0.5}
"""


def slowfast(classes: int = 3, laterals: tuple[int, ...] = (1, 2, 3, 4)) -> dict[str, Tensor]:
    return _fill(
        {**dict(_visual(laterals)), "head.projection.weight": (classes, 288), "head.projection.bias": (classes,)}
    )


def slow(classes: int = 3) -> dict[str, Tensor]:
    """The Slow pathway alone."""
    shapes = {name: shape for name, shape in _visual(()) if "pathway1" not in name}
    return _fill({**shapes, "head.projection.weight": (classes, 256), "head.projection.bias": (classes,)})


def avslowfast(classes: int = 3) -> dict[str, Tensor]:
    """A->FS fusion at res3 and res4, AVS loss at res3 and pool5."""
    head = {"head.projection.weight": (classes, 416), "head.projection.bias": (classes,)}
    return _fill({**dict(_visual((3, 4))), **dict(_audio()), **head})


def _fill(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes.items():
        state[name] = torch.rand(shape, generator=generator) + 0.5
        if name.endswith("running_var"):
            state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(7)
    return state


def _norm(name: str, dim: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from ((f"{name}.{part}", (dim,)) for part in NORM)


def _visual(laterals: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for pathway, width, stem in ((0, 8, 1), (1, 1, 5)):
        yield f"s1.pathway{pathway}_stem.conv.weight", (width, 3, stem, 7, 7)
        yield from _norm(f"s1.pathway{pathway}_stem.bn", width)
        for stage in (2, 3, 4, 5):
            inner = width * 2 ** (stage - 2)
            dim_in = width if stage == 2 else 2 * inner
            lateral = dim_in // 4 if pathway == 0 and stage - 1 in laterals else 0
            block = f"s{stage}.pathway{pathway}_res0"
            kernel = 3 if pathway == 1 or stage > 3 else 1
            yield f"{block}.branch1.weight", (4 * inner, dim_in + lateral, 1, 1, 1)
            yield from _norm(f"{block}.branch1_bn", 4 * inner)
            yield f"{block}.branch2.a.weight", (inner, dim_in + lateral, kernel, 1, 1)
            yield f"{block}.branch2.b.weight", (inner, inner, 1, 3, 3)
            yield f"{block}.branch2.c.weight", (4 * inner, inner, 1, 1, 1)
            for layer, dim in (("a", inner), ("b", inner), ("c", 4 * inner)):
                yield from _norm(f"{block}.branch2.{layer}_bn", dim)
    for stage in laterals:
        dim = 1 if stage == 1 else 2**stage
        yield f"s{stage}_fuse.conv_f2s.weight", (2 * dim, dim, 5, 1, 1)
        yield from _norm(f"s{stage}_fuse.{'bn_f2s' if laterals == (3, 4) else 'bn'}", 2 * dim)


def _audio() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "s1.pathway2_stem.conv_t.weight", (4, 1, 1, 9, 1)
    yield "s1.pathway2_stem.conv_f.weight", (4, 1, 1, 1, 9)
    yield from _norm("s1.pathway2_stem.bn", 4)
    for stage in (2, 3, 4, 5):
        inner = 4 * 2 ** (stage - 2)
        dim_in = 4 if stage == 2 else 2 * inner
        block = f"s{stage}.pathway2_res0"
        yield f"{block}.branch1.weight", (4 * inner, dim_in, 1, 1, 1)
        yield from _norm(f"{block}.branch1_bn", 4 * inner)
        layers: dict[str, tuple[int, ...]] = {
            "t": (inner, dim_in, 1, 3, 1),
            "f": (inner, dim_in, 1, 1, 3),
            "out": (4 * inner, 2 * inner, 1, 1, 1),
        }
        if stage > 3:
            layers = {
                "a": (inner, dim_in, 1, 1, 1),
                "b": (inner, inner, 1, 3, 3),
                "c": (4 * inner, inner, 1, 1, 1),
            }
        for layer, shape in layers.items():
            yield f"{block}.branch2.{layer}.weight", shape
            yield from _norm(f"{block}.branch2.{layer}_bn", shape[0])
    for stage, dim, fused in ((3, 32, 80), (4, 64, 160), (5, 128, 320)):
        fuse = f"s{stage}_fuse"
        yield f"{fuse}.conv_a2fs_0.weight", (64, dim, 1, 5, 1)
        yield from _norm(f"{fuse}.bn_a2fs_0", 64)
        yield f"{fuse}.conv_a2fs_1.weight", (fused, 64, 1, 5, 1)
        yield from _norm(f"{fuse}.bn_a2fs_1", fused)
    yield "s5_fuse.conv_f2s.weight", (64, 32, 5, 1, 1)
    yield from _norm("s5_fuse.bn_f2s", 64)
    for stage, fused in ((3, 80), (5, 320)):
        for side in ("ref", "query"):
            yield f"s{stage}_fuse.avs.{side}_fc.weight", (64, fused)
            yield f"s{stage}_fuse.avs.{side}_fc.bias", (64,)


def caffe2(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same SlowFast under Caffe2's names, written out by hand for one block per stage."""
    blobs: dict[str, Tensor] = {"model_iter": torch.tensor(1), "lr": torch.tensor(0.1)}
    ends = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}

    def norm(blob: str, name: str) -> None:
        for end, short in ends.items():
            blobs[f"{blob}_{short}"] = state[f"{name}.{end}"]

    for pathway, prefix in ((0, ""), (1, "t_")):
        blobs[f"{prefix}conv1_w"] = state[f"s1.pathway{pathway}_stem.conv.weight"]
        norm(f"{prefix}res_conv1_bn", f"s1.pathway{pathway}_stem.bn")
        for stage in (2, 3, 4, 5):
            block = f"s{stage}.pathway{pathway}_res0"
            blobs[f"{prefix}res{stage}_0_branch1_w"] = state[f"{block}.branch1.weight"]
            norm(f"{prefix}res{stage}_0_branch1_bn", f"{block}.branch1_bn")
            for layer in "abc":
                blobs[f"{prefix}res{stage}_0_branch2{layer}_w"] = state[f"{block}.branch2.{layer}.weight"]
                blobs[f"{prefix}res{stage}_0_branch2{layer}_w_momentum"] = torch.zeros(1)
                norm(f"{prefix}res{stage}_0_branch2{layer}_bn", f"{block}.branch2.{layer}_bn")
    blobs["t_pool1_subsample_w"] = state["s1_fuse.conv_f2s.weight"]
    norm("t_pool1_subsample_bn", "s1_fuse.bn")
    for stage in (2, 3, 4):
        blobs[f"t_res{stage}_0_branch2c_bn_subsample_w"] = state[f"s{stage}_fuse.conv_f2s.weight"]
        norm(f"t_res{stage}_0_branch2c_bn_subsample_bn", f"s{stage}_fuse.bn")
    return {**blobs, "pred_w": state["head.projection.weight"], "pred_b": state["head.projection.bias"]}


def pytorchvideo(state: dict[str, Tensor], *, detector: bool = False) -> dict[str, Tensor]:
    """The same SlowFast or Slow under the names of PyTorchVideo's hub; its detectors have the prefix `model.`."""
    is_slow = not any("pathway1" in name for name in state)
    head = "detection_head" if detector else f"blocks.{5 if is_slow else 6}"
    rules = (
        (r"s1\.pathway(\d)_stem\.", r"blocks.0.multipathway_blocks.\1."),
        (r"s(\d)_fuse\.conv_f2s", lambda m: f"blocks.{int(m[1]) - 1}.multipathway_fusion.conv_fast_to_slow"),
        (r"s(\d)_fuse\.bn", lambda m: f"blocks.{int(m[1]) - 1}.multipathway_fusion.norm"),
        (
            r"s(\d)\.pathway(\d)_res(\d)\.",
            lambda m: f"blocks.{int(m[1]) - 1}.multipathway_blocks.{m[2]}.res_blocks.{m[3]}.",
        ),
        (r"branch2\.([abc])_bn", r"branch2.norm_\1"),
        (r"branch2\.([abc])\.", r"branch2.conv_\1."),
        (r"branch1_bn", "branch1_norm"),
        (r"branch1\.", "branch1_conv."),
        (r"blocks\.0\.multipathway_blocks\.(\d)\.bn", r"blocks.0.multipathway_blocks.\1.norm"),
        (r"head\.projection", f"{head}.proj"),
        *([(r"multipathway_blocks\.0\.", "")] if is_slow else []),
    )
    names = {name: _substitute(name, rules) for name in state}
    prefix = "model." if detector else ""
    return {new if new.startswith("detection") else prefix + new: state[old] for old, new in names.items()}


def mmaction2(state: dict[str, Tensor], *, detector: bool = False) -> dict[str, Tensor]:
    """The same SlowFast, but for its lateral norms, under MMAction2's names and in its order of head inputs."""
    path = {"0": "slow", "1": "fast"}
    head = "roi_head.bbox_head.fc_cls" if detector else "cls_head.fc_cls"
    rules = (
        (r"s1\.pathway(\d)_stem\.", lambda m: f"backbone.{path[m[1]]}_path.conv1."),
        (r"s1_fuse\.conv_f2s", "backbone.slow_path.conv1_lateral.conv"),
        (r"s(\d)_fuse\.conv_f2s", lambda m: f"backbone.slow_path.layer{int(m[1]) - 1}_lateral.conv"),
        (r"s(\d)\.pathway(\d)_res(\d)\.", lambda m: f"backbone.{path[m[2]]}_path.layer{int(m[1]) - 1}.{m[3]}."),
        (r"branch2\.([abc])_bn", lambda m: f"conv{'abc'.index(m[1]) + 1}.bn"),
        (r"branch2\.([abc])\.", lambda m: f"conv{'abc'.index(m[1]) + 1}.conv."),
        (r"branch1_bn", "downsample.bn"),
        (r"branch1\.", "downsample.conv."),
        (r"head\.projection", head),
    )
    renamed = {_substitute(name, rules): x for name, x in state.items() if not re.match(r"s\d_fuse\.bn", name)}
    if detector:  # a first row for the background
        return renamed | {f"{head}.{end}": _with_background(renamed[f"{head}.{end}"]) for end in ("weight", "bias")}
    weight = renamed[f"{head}.weight"]
    return renamed | {f"{head}.weight": torch.cat([weight[:, 256:], weight[:, :256]], dim=1)}


def slowonly(*, detector: bool = False) -> dict[str, Tensor]:
    """The Slow pathway alone under the names of MMAction2's SlowOnly."""
    state = mmaction2(slow(), detector=detector)
    return {name.replace("backbone.slow_path.", "backbone."): x for name, x in state.items()}


def gluoncv(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same SlowFast under the names of GluonCV's torch models."""
    path = {"0": "slow", "1": "fast"}
    rules = (
        (r"s1\.pathway(\d)_stem\.(conv|bn)", lambda m: f"{path[m[1]]}_{m[2]}1"),
        (r"s1_fuse", "lateral_p1"),
        (r"s(\d)_fuse", r"lateral_res\1"),
        (r"conv_f2s\.", "0."),
        (r"(lateral_\w+)\.bn", r"\1.1"),
        (r"s(\d)\.pathway(\d)_res(\d)\.", lambda m: f"{path[m[2]]}_res{m[1]}.{m[3]}."),
        (r"branch2\.([abc])_bn", lambda m: f"bn{'abc'.index(m[1]) + 1}"),
        (r"branch2\.([abc])", lambda m: f"conv{'abc'.index(m[1]) + 1}"),
        (r"branch1_bn", "downsample.1"),
        (r"branch1", "downsample.0"),
        (r"head\.projection", "fc"),
    )
    return {_substitute(name, rules): tensor for name, tensor in state.items()}


def _with_background(rows: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(rows[:1]), rows])


def _substitute(name: str, rules: tuple[tuple[str, Any], ...]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
