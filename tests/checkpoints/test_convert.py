"""Conversion of PySlowFast, AVSlowFast and Caffe2 weights: every tensor is mapped, with its values."""

from __future__ import annotations

import pytest
import torch

from avdet.checkpoints.convert import UnknownTensorError, from_caffe2, from_reference
from avdet.checkpoints.weights import load_state
from avdet.models.build import build_model
from tests.checkpoints.reference_names import avslowfast, caffe2, slowfast
from tests.models.tiny import tiny_config


def test_every_tensor_of_an_avslowfast_is_mapped() -> None:
    model = build_model(tiny_config(fusion_width=64, avs_stages=("res3", "pool5")), num_classes=3, head="clip")
    report = load_state(model, from_reference(avslowfast()))
    assert set(report.loaded) == set(model.state_dict()) and not report.unused


def test_every_tensor_of_a_slowfast_is_mapped() -> None:
    config = tiny_config(audio=False, fast_to_slow_stages=("pool1", "res2", "res3", "res4"))
    model = build_model(config, num_classes=3, head="roi")
    wrapped = {f"module.{name}": tensor for name, tensor in slowfast().items()}
    report = load_state(model, from_reference(wrapped))
    assert set(report.loaded) == set(model.state_dict()) and not report.unused


def test_values_are_mapped_to_the_right_layers() -> None:
    source = avslowfast()
    converted = from_reference(source)
    a = "s4.pathway1_res0.branch2.a.weight"
    assert torch.equal(
        converted["backbone.fast.res4.block0.branch.a.conv.weight"][:, :, 2, 0], source[a][:, :, 2, 0, 0]
    )
    assert torch.equal(
        converted["backbone.audio.res2.block0.branch.frequency.conv.weight"][:, :, 0, 1],
        source["s2.pathway2_res0.branch2.f.weight"][:, :, 0, 0, 1],
    )
    assert torch.equal(converted["backbone.slow.conv1.conv.weight"], source["s1.pathway0_stem.conv.weight"])
    assert torch.equal(converted["sync.pool5.visual.weight"], source["s5_fuse.avs.ref_fc.weight"])


def test_caffe2_blobs_equal_the_pyslowfast_weights() -> None:
    source = slowfast()
    converted, expected = from_caffe2(caffe2(source)), from_reference(source)
    assert converted.keys() == expected.keys()
    for name, tensor in converted.items():
        if "num_batches_tracked" not in name:  # Caffe2 has no such counter
            assert torch.equal(tensor, expected[name]), name


def test_nonlocal_blocks() -> None:
    source = {
        "s4.pathway0_nonlocal1.conv_theta.weight": torch.rand(16, 32, 1, 1, 1),
        "s4.pathway0_nonlocal1.conv_out.bias": torch.rand(32),
        "s4.pathway0_nonlocal1.bn.weight": torch.rand(32),
    }
    converted = from_reference(source)
    prefix = "backbone.slow.res4.nonlocal1.attention"
    assert converted[f"{prefix}.query.weight"].shape == (16, 32)
    assert {f"{prefix}.out.bias", f"{prefix}.norm.weight"} < converted.keys()
    blobs = {
        "nonlocal_conv4_1_theta_w": source["s4.pathway0_nonlocal1.conv_theta.weight"],
        "nonlocal_conv4_1_out_b": source["s4.pathway0_nonlocal1.conv_out.bias"],
        "nonlocal_conv4_1_bn_s": source["s4.pathway0_nonlocal1.bn.weight"],
    }
    from_blobs = from_caffe2(blobs)
    assert all(torch.equal(from_blobs[name], converted[name]) for name in converted)


@pytest.mark.parametrize("name", ["s5.pathway0_res0.branch2.se.fc1.weight", "blocks.0.attn.qkv.weight", "head.fc.bias"])
def test_unknown_tensors_are_rejected(name: str) -> None:
    with pytest.raises(UnknownTensorError, match=name):
        from_reference({**slowfast(), name: torch.zeros(1)})
    with pytest.raises(UnknownTensorError, match="t_res2_9_shuffle_w"):
        from_caffe2({"t_res2_9_shuffle_w": torch.zeros(1)})
