from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from avdet.engine.freeze import freeze, set_training_mode
from avdet.engine.precise_bn import set_precise_statistics
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_batch, tiny_config


def model_with_sound() -> nn.Module:
    return shake(build_model(tiny_config(avs_stages=("res3",)), num_classes=3, head="clip", multilabel=True))


def learned(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_the_trunk_is_all_but_the_head() -> None:
    model = model_with_sound()
    freeze(model, ["trunk"])
    assert learned(model) == {"head.classifier.linear.action.weight", "head.classifier.linear.action.bias"}


def test_stages_of_all_pathways() -> None:
    model, whole = model_with_sound(), model_with_sound()
    freeze(model, ["conv1", "res2"])
    still = learned(whole) - learned(model)
    assert {name.split(".")[1] for name in still} == {"slow", "fast", "audio"}
    assert {name.split(".")[2] for name in still} == {"conv1", "res2"}


def test_norms_alone() -> None:
    model = model_with_sound()
    everything = learned(model)
    freeze(model, ["norms"])
    count = sum(isinstance(module, _BatchNorm) for module in model.modules())
    assert len(everything - learned(model)) == 2 * count > 20


def test_norms_that_have_learned_nothing_are_not_frozen() -> None:
    """The last one of each residual branch begins at zero."""
    fresh = build_model(tiny_config(audio=False), num_classes=3, head="clip")
    with pytest.raises(
        ValueError, match=r"8 of them .* are zero, such as backbone\.slow\.res2\.block0\.branch\.c\.norm"
    ):
        freeze(fresh, ["norms"])
    freeze(fresh, ["trunk", "norms"])


@pytest.mark.parametrize("parts", [["norms"], ["trunk"], ["conv1", "res2", "res3", "res4", "res5"]])
def test_what_is_frozen_stays_through_training_and_precise_statistics(parts: list[str]) -> None:
    model = model_with_sound()
    freeze(model, parts)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    batch = tiny_batch(paired=True)
    batch = type(batch)(**{**batch.__dict__, "labels": {"action": torch.tensor([[0.0, 1, 0], [1, 0, 0]])}})
    set_training_mode(model)
    assert model.training
    sum(model(batch).values()).backward()
    optimizer.step()
    set_precise_statistics(model, [batch])
    after = model.state_dict()
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and f"{name}.weight" in frozen:
            frozen |= {f"{name}.{buffer}" for buffer, _ in module.named_buffers()}
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert not torch.equal(
        before["head.classifier.linear.action.weight"], after["head.classifier.linear.action.weight"]
    )


def test_nothing_frozen_trains_everything() -> None:
    model = model_with_sound()
    freeze(model, [])
    set_training_mode(model)
    assert all(module.training for module in model.modules())
