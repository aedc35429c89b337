"""The folded copy predicts as its model does, in float32 and in bfloat16, and leaves the model as it is."""

from __future__ import annotations

import copy
from typing import Any, Literal

import pytest
import torch

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.inference_model import computes_bfloat16, inference_dtype, inference_model
from tests.models.tiny import tiny_batch, tiny_config

CPU = torch.device("cpu")
NETWORKS: dict[str, dict[str, Any]] = {
    "audio": {},
    "video_only": {"audio": False},
    "audio_only": {"audio": "only"},
    "nonlocal": {"nonlocal_blocks": (0,)},
    "cross_attention": {"fusion": "nonlocal"},
    "a_to_f_to_s": {"fusion": "a_to_f_to_s"},
    "f_to_s_without_norm": {"fast_to_slow_norm": False},
}
Head = Literal["roi", "clip"]


def trained(head: Head, **changes: Any) -> ActionModel:  # noqa: ANN401  (any setting)
    """Initial weights after two passes in training mode, whose batch norms hold the statistics of data."""
    torch.manual_seed(0)
    model = build_model(tiny_config(**changes), num_classes=3, head=head, crop_px=32)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.2, 0.6), torch.nn.init.normal_(module.bias, std=0.2)
            module.momentum = 0.5
    with torch.no_grad():
        for seed in range(6):
            model.train()._logits(tiny_batch(seed=seed), model.audio_state(tiny_batch(seed=seed)))
    return model


@pytest.mark.parametrize("head", ["roi", "clip"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("has_audio", [(True, True), (True, False), (False, False)], ids=["audio", "half", "silent"])
def test_the_copy_predicts_the_same(name: str, head: Head, has_audio: tuple[bool, bool]) -> None:
    model = trained(head, **NETWORKS[name])
    batch = tiny_batch(has_audio)
    folded = inference_model(model, CPU, "float32")
    expected = model.eval().predict(batch)
    assert expected.std() > 0 or not any(has_audio)
    torch.testing.assert_close(folded.predict(batch), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("head", ["roi", "clip"])
@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_changes_scores_by_a_thousandth_at_most(name: str, head: Head) -> None:
    model = trained(head, **NETWORKS[name])
    batch = tiny_batch((True, False))
    scores = inference_model(model, CPU, "bfloat16").predict(batch)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, model.eval().predict(batch), rtol=0, atol=1e-3)


@pytest.mark.parametrize("head", ["roi", "clip"])
@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_changes_widely_spread_scores_by_hundredths_at_most(name: str, head: Head) -> None:
    model = trained(head, **NETWORKS[name]).eval()
    (linear,) = model.head.classifier.linear.values()
    assert isinstance(linear, torch.nn.Linear)
    torch.nn.init.normal_(linear.weight, std=5 / linear.in_features**0.5)
    batch = tiny_batch((True, False))
    expected = model.predict(batch)
    assert expected.std() > 0.05
    torch.testing.assert_close(inference_model(model, CPU, "bfloat16").predict(batch), expected, rtol=0, atol=0.03)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_model_can_be_trained_on(precision: Literal["float32", "bfloat16"]) -> None:
    model = trained("roi").train()
    state = copy.deepcopy(model.state_dict())
    inference_model(model, CPU, precision).predict(tiny_batch())
    assert all(module.training for module in model.modules())
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    sum(model(tiny_batch()).values(), torch.zeros(())).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_precision_is_the_devices_unless_it_is_given() -> None:
    expected = torch.bfloat16 if computes_bfloat16(CPU) else torch.float32
    assert inference_dtype(CPU) == expected
    assert inference_dtype(CPU, "float32") == torch.float32
    assert inference_dtype(CPU, "bfloat16") == torch.bfloat16
    assert not computes_bfloat16(torch.device("meta"))
