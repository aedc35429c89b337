"""Converts the tensor names and shapes of PySlowFast, Caffe2, PyTorchVideo, MMAction2 and GluonCV to avdet's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = ["UnknownTensorError", "from_caffe2", "from_gluoncv", "from_mmaction2", "from_pytorchvideo", "from_reference"]

Rules = tuple[tuple[str, Callable[..., str]], ...]

PATHWAY = {"0": "slow", "1": "fast", "2": "audio"}
FUSION_STAGE = {"1": "pool1", "2": "res2", "3": "res3", "4": "res4", "5": "pool5"}
BRANCH = {"a": "a", "b": "b", "c": "c", "t": "time", "f": "frequency", "out": "c"}
NONLOCAL_LAYER = {"conv_theta": "query", "conv_phi": "key", "conv_g": "value", "conv_out": "out", "bn": "norm"}


class UnknownTensorError(ValueError):
    """A checkpoint holds a tensor that SlowFast and AVSlowFast do not have."""


def _stem(pathway: str, layer: str, rest: str) -> str:
    layer = {"conv": "conv", "conv_t": "time", "conv_f": "frequency", "bn": "norm"}[layer]
    return f"backbone.{PATHWAY[pathway]}.conv1.{layer}.{rest}"


def _branch(stage: str, pathway: str, block: str, layer: str, norm: str | None, rest: str) -> str:
    part = "norm" if norm else "conv"
    return f"backbone.{PATHWAY[pathway]}.res{stage}.block{block}.branch.{BRANCH[layer]}.{part}.{rest}"


def _shortcut(stage: str, pathway: str, norm: str | None, rest: str) -> str:
    return f"backbone.{PATHWAY[pathway]}.res{stage}.block0.shortcut.{'norm' if norm else 'conv'}.{rest}"


def _nonlocal(stage: str, block: str, layer: str, rest: str) -> str:
    return f"backbone.slow.res{stage}.nonlocal{block}.attention.{NONLOCAL_LAYER[layer]}.{rest}"


def _fast_to_slow(stage: str, layer: str, rest: str) -> str:
    """The lateral fusion before pool5 exists only for the AVS loss, so it is kept in the loss's SyncTap."""
    tap = ".sync_tap" if stage == "5" else ""
    part = "conv" if layer.startswith("conv") else "norm"
    return f"backbone.fusion.{FUSION_STAGE[stage]}{tap}.fast_to_slow.conv.{part}.{rest}"


def _audio_lateral(stage: str, layer: str, index: str, rest: str) -> str:
    tap = ".sync_tap" if stage == "5" else ""
    part = "conv" if layer == "conv" else "norm"
    return f"backbone.fusion.{FUSION_STAGE[stage]}{tap}.audio_lateral.{('first', 'second')[int(index)]}.{part}.{rest}"


def _sync(stage: str, side: str, rest: str) -> str:
    return f"sync.{FUSION_STAGE[stage]}.{'visual' if side == 'ref' else 'audio'}.{rest}"


_RULES: Rules = (
    (r"s1\.pathway([012])_stem\.(conv|conv_t|conv_f|bn)\.(.*)", _stem),
    (r"s([2-5])\.pathway([012])_res(\d+)\.branch2\.(a|b|c|t|f|out)(_bn)?\.(.*)", _branch),
    (r"s([2-5])\.pathway([012])_res0\.branch1(_bn)?\.(.*)", _shortcut),
    (r"s([2-5])\.pathway0_nonlocal(\d+)\.(conv_theta|conv_phi|conv_g|conv_out|bn)\.(.*)", _nonlocal),
    (r"s([1-5])_fuse\.(conv_f2s|bn_f2s|bn)\.(.*)", _fast_to_slow),
    (r"s([1-5])_fuse\.(conv|bn)_a2fs_([01])\.(.*)", _audio_lateral),
    (r"s([2-5])_fuse\.avs\.(ref|query)_fc\.(.*)", _sync),
    (r"head\.projection\.(.*)", "head.classifier.linear.action.{}".format),
)


def from_reference(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Converts a state dict of PySlowFast's SlowFast or the reference's AVSlowFast to avdet's names and shapes.

    Raises UnknownTensorError for a tensor that neither of them has.
    """
    names = {name: _rename(name.removeprefix("module."), _RULES) for name in state}
    return {new_name: _reshape(new_name, state[name]) for name, new_name in names.items()}


def _rename(name: str, rules: Rules) -> str:
    for pattern, rename in rules:
        match = re.fullmatch(pattern, name)
        if match:
            return rename(*match.groups())
    raise UnknownTensorError(
        f"The file holds {name}, which neither SlowFast nor AVSlowFast has; only their checkpoints can be converted"
    )


def _reshape(name: str, tensor: Tensor) -> Tensor:
    """Drops the third kernel dimension: PySlowFast's convolutions are all 3-D, avdet's only in the visual stems."""
    if tensor.ndim != 5 or re.fullmatch(r"backbone\.(slow|fast)\.conv1\.conv\.weight", name):
        return tensor
    if ".attention." in name:
        return tensor.flatten(1)
    return tensor.squeeze(2) if tensor.shape[2] == 1 else tensor.squeeze(4)


_CAFFE2_RULES = (  # {} is the pathway: "1" for blobs with the prefix t_, else "0"
    (r"conv1_(w)", r"s1.pathway{}_stem.conv.\1"),
    (r"res_conv1_bn_(\w+)", r"s1.pathway{}_stem.bn.\1"),
    (r"res(\d)_(\d+)_branch2([abc])_bn_(s|b|rm|riv)", r"s\1.pathway{}_res\2.branch2.\3_bn.\4"),
    (r"res(\d)_(\d+)_branch2([abc])_(w)", r"s\1.pathway{}_res\2.branch2.\3.\4"),
    (r"res(\d)_(\d+)_branch1_bn_(s|b|rm|riv)", r"s\1.pathway{}_res\2.branch1_bn.\3"),
    (r"res(\d)_(\d+)_branch1_(w)", r"s\1.pathway{}_res\2.branch1.\3"),
    (r"pool1_subsample_bn_(s|b|rm|riv)", r"s1_fuse.bn.\1"),
    (r"pool1_subsample_(w)", r"s1_fuse.conv_f2s.\1"),
    (r"res(\d)_\d+_branch2c_bn_subsample_bn_(s|b|rm|riv)", r"s\1_fuse.bn.\2"),
    (r"res(\d)_\d+_branch2c_bn_subsample_(w)", r"s\1_fuse.conv_f2s.\2"),
    (r"nonlocal_conv(\d)_(\d+)_bn_(s|b|rm|riv)", r"s\1.pathway{}_nonlocal\2.bn.\3"),
    (r"nonlocal_conv(\d)_(\d+)_(theta|phi|g|out)_(w|b)", r"s\1.pathway{}_nonlocal\2.conv_\3.\4"),
    (r"pred_(w|b)", r"head.projection.\1"),
)
_CAFFE2_SUFFIXES = {"w": "weight", "s": "weight", "b": "bias", "rm": "running_mean", "riv": "running_var"}
_CAFFE2_NO_WEIGHT = re.compile(r".*_momentum|lr|model_iter|weight_order")


def from_caffe2(blobs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Converts the blobs of a Caffe2 checkpoint like `from_reference`, without the optimizer's."""
    state: dict[str, Tensor] = {}
    for blob, tensor in blobs.items():
        if _CAFFE2_NO_WEIGHT.fullmatch(blob):
            continue
        name = _caffe2_name(blob)
        state[name] = tensor.reshape(tensor.shape + (1,) * (5 - tensor.ndim)) if _is_convolution(name) else tensor
        if name.endswith("running_var"):  # Caffe2 does not store this counter
            state[name.replace("running_var", "num_batches_tracked")] = torch.tensor(0)
    return from_reference(state)


def _is_convolution(name: str) -> bool:
    return name.endswith("weight") and "bn" not in name and not name.startswith("head")


def _caffe2_name(blob: str) -> str:
    pathway = "1" if blob.startswith("t_") else "0"
    for pattern, replacement in _CAFFE2_RULES:
        match = re.fullmatch(pattern, blob.removeprefix("t_"))
        if match:
            name, suffix = match.expand(replacement).format(pathway).rsplit(".", 1)
            return f"{name}.{_CAFFE2_SUFFIXES[suffix]}"
    raise UnknownTensorError(
        f"The file holds the blob {blob}, which SlowFast does not have; only its checkpoints can be converted"
    )


def _next(stage: str) -> int:
    """PySlowFast's number of a stage that PyTorchVideo counts from 0, and MMAction2 without its stem."""
    return int(stage) + 1


_BLOCK = r"blocks\.([1-4])\.(?:multipathway_blocks\.([01])\.)?"  # without a pathway: the Slow pathway alone
_PYTORCHVIDEO_RULES: Rules = (  # to PySlowFast's names
    (
        r"blocks\.0\.(?:multipathway_blocks\.([01])\.)?(conv|norm)\.(.*)",
        lambda pathway, layer, rest: f"s1.pathway{pathway or 0}_stem.{'bn' if layer == 'norm' else 'conv'}.{rest}",
    ),
    (
        r"blocks\.(\d)\.multipathway_fusion\.(conv_fast_to_slow|norm)\.(.*)",
        lambda stage, layer, rest: f"s{_next(stage)}_fuse.{'bn' if layer == 'norm' else 'conv_f2s'}.{rest}",
    ),
    (
        rf"{_BLOCK}res_blocks\.(\d+)\.branch1_(conv|norm)\.(.*)",
        lambda stage, pathway, block, layer, rest: (
            f"s{_next(stage)}.pathway{pathway or 0}_res{block}.branch1{'_bn' if layer == 'norm' else ''}.{rest}"
        ),
    ),
    (
        rf"{_BLOCK}res_blocks\.(\d+)\.branch2\.(conv|norm)_([abc])\.(.*)",
        lambda stage, pathway, block, layer, part, rest: (
            f"s{_next(stage)}.pathway{pathway or 0}_res{block}.branch2.{part}{'_bn' if layer == 'norm' else ''}.{rest}"
        ),
    ),
    (r"(?:blocks\.[56]|detection_head)\.proj\.(.*)", "head.projection.{}".format),
)


def from_pytorchvideo(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Converts a state dict of PyTorchVideo's SlowFast or Slow, without the prefix `model.`, like `from_reference`."""
    return from_reference({_rename(name, _PYTORCHVIDEO_RULES): tensor for name, tensor in state.items()})


_PATH = {"slow": 0, "fast": 1}
_MMACTION2_RULES: Rules = (  # to PySlowFast's names
    (
        r"backbone\.(slow|fast)_path\.conv1\.(conv|bn)\.(.*)",
        lambda path, layer, rest: f"s1.pathway{_PATH[path]}_stem.{layer}.{rest}",
    ),
    (r"backbone\.slow_path\.conv1_lateral\.conv\.(.*)", "s1_fuse.conv_f2s.{}".format),
    (
        r"backbone\.slow_path\.layer(\d)_lateral\.conv\.(.*)",
        lambda stage, rest: f"s{_next(stage)}_fuse.conv_f2s.{rest}",
    ),
    (
        r"backbone\.(slow|fast)_path\.layer(\d)\.0\.downsample\.(conv|bn)\.(.*)",
        lambda path, stage, layer, rest: (
            f"s{_next(stage)}.pathway{_PATH[path]}_res0.branch1{'_bn' if layer == 'bn' else ''}.{rest}"
        ),
    ),
    (
        r"backbone\.(slow|fast)_path\.layer(\d)\.(\d+)\.conv([123])\.(conv|bn)\.(.*)",
        lambda path, stage, block, part, layer, rest: (
            f"s{_next(stage)}.pathway{_PATH[path]}_res{block}.branch2.{' abc'[int(part)]}"
            f"{'_bn' if layer == 'bn' else ''}.{rest}"
        ),
    ),
    (r"(?:cls_head|roi_head\.bbox_head)\.fc_cls\.(.*)", "head.projection.{}".format),
)


def from_mmaction2(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Converts a state dict of MMAction2's SlowFast or SlowOnly like `from_reference`.

    Its clip head concatenates Fast before Slow; its box head has a row for the background, which is dropped.
    """
    state = {re.sub(r"backbone\.(?=conv1\.|layer)", "backbone.slow_path.", name): x for name, x in state.items()}
    renamed = {_rename(name, _MMACTION2_RULES): tensor for name, tensor in state.items()}
    weight, bias = "head.projection.weight", "head.projection.bias"
    if weight in renamed and bias in renamed:
        slow, fast = (32 * len(state.get(f"backbone.{path}_path.conv1.conv.weight", ())) for path in ("slow", "fast"))
        if renamed[weight].shape[1] != slow + fast:
            raise UnknownTensorError(
                f"The file's classifier has {renamed[weight].shape[1]} inputs instead of {slow + fast}, such as "
                "MMAction2's head with global context, which avdet does not have; give a model with the plain head"
            )
        if "cls_head.fc_cls.weight" in state:
            renamed[weight] = renamed[weight].roll(-fast, dims=1)
        else:
            renamed |= {weight: renamed[weight][1:], bias: renamed[bias][1:]}
    return from_reference(renamed)


_LATERAL_STAGE = {"p1": 1, "res2": 2, "res3": 3, "res4": 4}
_GLUONCV_RULES: Rules = (  # to PySlowFast's names
    (
        r"(slow|fast)_(conv|bn)1\.(.*)",
        lambda path, layer, rest: f"s1.pathway{_PATH[path]}_stem.{layer}.{rest}",
    ),
    (
        r"lateral_(p1|res[234])\.([01])\.(.*)",
        lambda stage, layer, rest: f"s{_LATERAL_STAGE[stage]}_fuse.{'bn' if layer == '1' else 'conv_f2s'}.{rest}",
    ),
    (
        r"(slow|fast)_res([2-5])\.0\.downsample\.([01])\.(.*)",
        lambda path, stage, layer, rest: (
            f"s{stage}.pathway{_PATH[path]}_res0.branch1{'_bn' if layer == '1' else ''}.{rest}"
        ),
    ),
    (
        r"(slow|fast)_res([2-5])\.(\d+)\.(conv|bn)([123])\.(.*)",
        lambda path, stage, block, layer, part, rest: (
            f"s{stage}.pathway{_PATH[path]}_res{block}.branch2.{' abc'[int(part)]}"
            f"{'_bn' if layer == 'bn' else ''}.{rest}"
        ),
    ),
    (r"fc\.(.*)", "head.projection.{}".format),
)


def from_gluoncv(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Converts a state dict of GluonCV's SlowFast in torch like `from_reference`."""
    return from_reference({_rename(name, _GLUONCV_RULES): tensor for name, tensor in state.items()})
