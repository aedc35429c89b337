"""Made-up Caffe2 files of the networks in configs/: converted with the config, whole and with every value in place."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from avdet import ActionDetector
from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.cli.convert_checkpoint import main
from avdet.config import load_config
from avdet.models.build import build_model
from tests.conftest import REPOSITORY
from tests.models.tiny import shake

STAGES = ("pool1", "res2", "res3", "res4")
NORM = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}
NONLOCAL = {"query": "theta", "key": "phi", "value": "g", "out": "out"}


def blobs_of(state: dict[str, Tensor], blocks: tuple[int, ...]) -> dict[str, Tensor]:
    """A SlowFast or Slow under Caffe2's names: 5-D convolutions, Fast with the prefix t_."""
    blobs = {_blob(name, blocks): _five_dimensional(name, x) for name, x in state.items() if "num_batches" not in name}
    return {**blobs, "lr": torch.tensor(0.1), "model_iter": torch.tensor(9)}


def _blob(name: str, blocks: tuple[int, ...]) -> str:
    layer, end = name.rsplit(".", 1)
    short = NORM[end] if layer.endswith("norm") else {"weight": "w", "bias": "b"}[end]
    fields = layer.removeprefix("backbone.").removesuffix(".conv").removesuffix(".norm").split(".")
    bn = "_bn" if layer.endswith("norm") else ""
    if fields[0] == "head":
        return f"pred_{short}"
    if fields[0] == "fusion":
        stage = STAGES.index(fields[1])
        before = f"res{stage + 1}_{blocks[stage - 1] - 1}_branch2c_bn" if stage else "pool1"
        return f"t_{before}_subsample{bn}_{short}"
    prefix = "t_" if fields[0] == "fast" else ""
    if fields[1] == "conv1":
        return f"{prefix}{'res_conv1_bn' if bn else 'conv1'}_{short}"
    index = re.sub(r"\D", "", fields[2])
    if fields[2].startswith("nonlocal"):
        return f"nonlocal_conv{fields[1][3]}_{index}_{NONLOCAL.get(fields[-1], 'bn')}_{short}"
    branch = "branch1" if fields[3] == "shortcut" else f"branch2{fields[4]}"
    return f"{prefix}res{fields[1][3]}_{index}_{branch}{bn}_{short}"


def _five_dimensional(name: str, tensor: Tensor) -> Tensor:
    if ".attention." in name and tensor.ndim == 2:
        return tensor[:, :, None, None, None]
    if tensor.ndim != 4:
        return tensor
    is_temporal = tensor.shape[3] == 1 and tensor.shape[2] > 1
    return tensor.unsqueeze(4 if is_temporal else 2)


@pytest.mark.parametrize(
    ("recipe", "classes", "first_class", "owner"),
    [
        ("ava/slowfast_32x2_r101_50_50_v2.1", 80, (1, "bend/bow (at the waist)"), "AVA's"),
        ("ava/slow_4x16_r50", 80, (1, "bend/bow (at the waist)"), "AVA's"),
        ("kinetics/slowfast_8x8_r101_101_101", 400, (0, "abseiling"), "Kinetics-400's"),
        ("kinetics/slow_8x8_r50", 400, (0, "abseiling"), "Kinetics-400's"),
        ("charades/slowfast_16x8_r50", 157, (0, "Holding some clothes"), "Charades'"),
    ],
)
def test_a_public_networks_file_is_converted_with_its_config(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    recipe: str,
    classes: int,
    first_class: tuple[int, str],
    owner: str,
) -> None:
    """At an eighth of the width."""
    config_file = tmp_path / "narrow.yaml"
    base = REPOSITORY / "configs" / f"{recipe}.yaml"
    config_file.write_text(yaml.safe_dump({"_base_": str(base), "model": {"width": 8}}), encoding="utf-8")
    config = load_config(config_file)
    network = build_model(config.model, num_classes=classes, head="clip")
    shake(network)
    state = network.state_dict()
    blobs = {name: x.numpy() for name, x in blobs_of(state, config.model.stage_blocks).items()}
    source = tmp_path / "PUBLIC.pkl"
    source.write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))
    assert main([str(source), str(tmp_path / "out.pt"), "--config", str(config_file)]) == 0
    assert f"{classes} classes without names: {owner}" in capsys.readouterr().out
    checkpoint = load_checkpoint(tmp_path / "out.pt")
    assert checkpoint.model_state.keys() == state.keys()
    for name, tensor in checkpoint.model_state.items():
        np.testing.assert_array_equal(tensor, state[name], err_msg=name)
    assert next(iter(checkpoint.class_names.items())) == first_class and len(checkpoint.class_names) == classes
    if recipe.startswith("ava/"):
        detector = ActionDetector.from_checkpoint(tmp_path / "out.pt", device="cpu")
        assert detector.classes.ids == tuple(range(1, 81))
