from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import SGD

from avdet.engine.optim import LRSchedule, build_schedule, build_sgd, freeze, set_training_mode
from avdet.engine.precise_bn import update_bn_stats
from avdet.models.build import build_model
from avdet.train_settings import TrainConfig
from tests.models.tiny import shake, tiny_batch, tiny_config


def test_half_cosine() -> None:
    schedule = LRSchedule(base_lr=0.2, epochs=10)
    assert schedule.at(0) == pytest.approx(0.2)
    assert schedule.at(5) == pytest.approx(0.1)
    assert schedule.at(10) == pytest.approx(0)


def test_milestones_divide_by_ten() -> None:
    schedule = LRSchedule(base_lr=0.1, epochs=20, milestones=(10, 15))
    assert [schedule.at(epoch) for epoch in (9.99, 10, 15)] == pytest.approx([0.1, 0.01, 0.001])


def test_warmup_ends_at_the_value_of_the_schedule() -> None:
    schedule = LRSchedule(base_lr=0.1, epochs=20, warmup_epochs=5, warmup_lr=0.01)
    cosine_at_5 = 0.05 * (1 + math.cos(math.pi / 4))
    assert schedule.at(0) == pytest.approx(0.01)
    assert schedule.at(2.5) == pytest.approx((0.01 + cosine_at_5) / 2)
    assert schedule.at(5) == pytest.approx(cosine_at_5)


def test_learning_rates_scale_with_the_batch_size() -> None:
    settings = TrainConfig(batch_size=16, base_batch_size=64, lr=0.1, warmup_epochs=2, warmup_lr=0.01)
    schedule = build_schedule(settings)
    assert (schedule.base_lr, schedule.warmup_lr) == pytest.approx((0.025, 0.0025))


def test_batch_norm_has_its_own_weight_decay() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    others, norms = build_sgd(model, momentum=0.9, nesterov=True, weight_decay=1e-4, bn_weight_decay=0.0).param_groups
    assert (others["weight_decay"], norms["weight_decay"]) == (1e-4, 0.0)
    assert [tuple(p.shape) for p in norms["params"]] == [(2,), (2,)]
    assert len(others["params"]) + len(norms["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_updates_equal_plain_sgd(momentum: float) -> None:
    """Also for a layer whose first gradient comes later, and for momentum buffers in another memory format."""
    torch.manual_seed(0)
    first_layer, late_layer = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1)
    first_layer.weight = nn.Parameter(first_layer.weight.contiguous(memory_format=torch.channels_last))
    model = nn.Sequential(first_layer, late_layer)
    plain_model = copy.deepcopy(model)
    nesterov = momentum > 0
    optimizer = build_sgd(model, momentum=momentum, nesterov=nesterov, weight_decay=0.01, bn_weight_decay=0.0)
    optimizer.param_groups[0]["lr"] = 0.1
    plain = SGD(plain_model.parameters(), 0.1, momentum, weight_decay=0.01, nesterov=nesterov)
    for step in range(6):
        x = torch.randn(2, 3, 6, 6)
        for network, sgd in ((model, optimizer), (plain_model, plain)):
            sgd.zero_grad(set_to_none=True)
            (network if step > 2 else network[0])(x).square().mean().backward()
            sgd.step()
        for state in optimizer.state.values():
            if momentum and step == 4:
                state["momentum_buffer"] = state["momentum_buffer"].contiguous()
    for p, expected in zip(model.parameters(), plain_model.parameters(), strict=True):
        torch.testing.assert_close(p, expected)


def audiovisual_model() -> nn.Module:
    return shake(build_model(tiny_config(avs_stages=("res3",)), num_classes=3, head="clip", multilabel=True))


def trainable(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_the_trunk_is_all_but_the_head() -> None:
    model = audiovisual_model()
    freeze(model, ["trunk"])
    assert trainable(model) == {"head.classifier.linear.action.weight", "head.classifier.linear.action.bias"}


def test_stages_are_frozen_in_all_pathways() -> None:
    model = audiovisual_model()
    before = trainable(model)
    freeze(model, ["conv1", "res2"])
    frozen = before - trainable(model)
    assert {name.split(".")[1] for name in frozen} == {"slow", "fast", "audio"}
    assert {name.split(".")[2] for name in frozen} == {"conv1", "res2"}


def test_norms_only() -> None:
    model = audiovisual_model()
    before = trainable(model)
    freeze(model, ["norms"])
    count = sum(isinstance(module, _BatchNorm) for module in model.modules())
    assert len(before - trainable(model)) == 2 * count > 20


def test_untrained_norms_are_not_frozen() -> None:
    """The last norm of each residual branch is initialised to zero."""
    untrained = build_model(tiny_config(audio=False), num_classes=3, head="clip")
    with pytest.raises(
        ValueError, match=r"8 batch norms are zero .* such as backbone\.slow\.res2\.block0\.branch\.c\.norm"
    ):
        freeze(untrained, ["norms"])
    freeze(untrained, ["trunk", "norms"])


@pytest.mark.parametrize("parts", [["norms"], ["trunk"], ["conv1", "res2", "res3", "res4", "res5"]])
def test_frozen_parts_keep_weights_and_statistics(parts: list[str]) -> None:
    model = audiovisual_model()
    freeze(model, parts)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    batch = tiny_batch(paired=True)
    batch = type(batch)(**{**batch.__dict__, "labels": {"action": torch.tensor([[0.0, 1, 0], [1, 0, 0]])}})
    set_training_mode(model)
    assert model.training
    sum(model(batch).values()).backward()
    optimizer.step()
    update_bn_stats(model, [batch])
    after = model.state_dict()
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and f"{name}.weight" in frozen:
            frozen |= {f"{name}.{buffer}" for buffer, _ in module.named_buffers()}
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    head_weight = "head.classifier.linear.action.weight"
    assert not torch.equal(before[head_weight], after[head_weight])


def test_without_frozen_parts_everything_trains() -> None:
    model = audiovisual_model()
    freeze(model, [])
    set_training_mode(model)
    assert all(module.training for module in model.modules())
