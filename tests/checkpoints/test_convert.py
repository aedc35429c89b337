from __future__ import annotations

import pytest
import torch

from avdet.checkpoints.convert import UnknownTensorError, from_caffe2, from_reference
from avdet.checkpoints.weights import load_state
from avdet.models.build import build_model
from tests.checkpoints.reference_names import avslowfast, caffe2, slowfast
from tests.models.tiny import tiny_config


def test_every_tensor_of_an_avslowfast_finds_its_place() -> None:
    model = build_model(tiny_config(fusion_width=64, avs_stages=("res3", "pool5")), num_classes=3, head="clip")
    report = load_state(model, from_reference(avslowfast()))
    assert set(report.loaded) == set(model.state_dict()) and not report.unused


def test_every_tensor_of_a_slowfast_finds_its_place() -> None:
    config = tiny_config(audio=False, fast_to_slow_stages=("pool1", "res2", "res3", "res4"))
    model = build_model(config, num_classes=3, head="roi")
    wrapped = {f"module.{name}": tensor for name, tensor in slowfast().items()}
    report = load_state(model, from_reference(wrapped))
    assert set(report.loaded) == set(model.state_dict()) and not report.unused


def test_values_keep_their_places() -> None:
    theirs = avslowfast()
    ours = from_reference(theirs)
    a = "s4.pathway1_res0.branch2.a.weight"
    assert torch.equal(ours["backbone.fast.res4.block0.branch.a.conv.weight"][:, :, 2, 0], theirs[a][:, :, 2, 0, 0])
    assert torch.equal(
        ours["backbone.audio.res2.block0.branch.frequency.conv.weight"][:, :, 0, 1],
        theirs["s2.pathway2_res0.branch2.f.weight"][:, :, 0, 0, 1],
    )
    assert torch.equal(ours["backbone.slow.conv1.conv.weight"], theirs["s1.pathway0_stem.conv.weight"])
    assert torch.equal(ours["sync.pool5.pictures.weight"], theirs["s5_fuse.avs.ref_fc.weight"])


def test_caffe2_blobs_are_the_same_network() -> None:
    theirs = slowfast()
    converted, expected = from_caffe2(caffe2(theirs)), from_reference(theirs)
    assert converted.keys() == expected.keys()
    for name, tensor in converted.items():
        if "num_batches_tracked" not in name:  # Caffe2 does not count
            assert torch.equal(tensor, expected[name]), name


def test_nonlocal_blocks() -> None:
    theirs = {
        "s4.pathway0_nonlocal1.conv_theta.weight": torch.rand(16, 32, 1, 1, 1),
        "s4.pathway0_nonlocal1.conv_out.bias": torch.rand(32),
        "s4.pathway0_nonlocal1.bn.weight": torch.rand(32),
    }
    ours = from_reference(theirs)
    prefix = "backbone.slow.res4.nonlocal1.gather"
    assert ours[f"{prefix}.query.weight"].shape == (16, 32)
    assert {f"{prefix}.out.bias", f"{prefix}.norm.weight"} < ours.keys()
    blobs = {
        "nonlocal_conv4_1_theta_w": theirs["s4.pathway0_nonlocal1.conv_theta.weight"],
        "nonlocal_conv4_1_out_b": theirs["s4.pathway0_nonlocal1.conv_out.bias"],
        "nonlocal_conv4_1_bn_s": theirs["s4.pathway0_nonlocal1.bn.weight"],
    }
    converted = from_caffe2(blobs)
    assert all(torch.equal(converted[name], ours[name]) for name in ours)


@pytest.mark.parametrize("name", ["s5.pathway0_res0.branch2.se.fc1.weight", "blocks.0.attn.qkv.weight", "head.fc.bias"])
def test_what_no_slowfast_has_is_refused(name: str) -> None:
    with pytest.raises(UnknownTensorError, match=name):
        from_reference({**slowfast(), name: torch.zeros(1)})
    with pytest.raises(UnknownTensorError, match="t_res2_9_shuffle_w"):
        from_caffe2({"t_res2_9_shuffle_w": torch.zeros(1)})
