"""Logits and losses of the reference code, reproduced with its weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from avdet.checkpoints.weights import load_state
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.drop_pathway import DropPathway, no_audio
from avdet.models.sync_loss import valid_pairs
from avdet.settings import ModelConfig
from tests.models.golden import expected_output, recipe, weights
from tests.shared import needs_shared

pytestmark = needs_shared

HAS_AUDIO = torch.tensor([True])


def golden_input(name: str, *shape: int) -> Tensor:
    return torch.from_numpy(recipe().array(name, shape))


@pytest.fixture(scope="module")
def avslowfast() -> ActionModel:
    model = build_model(ModelConfig(avs_stages=("res3", "res4", "pool5")), num_classes=400, head="clip").eval()
    state = weights("avslowfast_4x16_r50.keys.txt")
    report = load_state(model, state)
    assert len(report.loaded) == len(state) == len(model.state_dict())
    return model


@torch.no_grad()
def test_avslowfast_4x16_logits(avslowfast: ActionModel) -> None:
    audio = DropPathway(0.8).eval()(golden_input("audio", 1, 1, 1, 128, 80)[:, 0], HAS_AUDIO)
    features = avslowfast.backbone(golden_input("fast", 1, 3, 32, 224, 224), audio)
    logits = avslowfast.head(features, 1)["action"][:, 0]
    expected = torch.tensor(expected_output("av4x16_r50", "eval")["logits"])
    assert (logits - expected).abs().max() <= 1e-3


@torch.no_grad()
@pytest.mark.parametrize("pathway", ["kept", "dropped"])
def test_avslowfast_4x16_sync_losses(avslowfast: ActionModel, pathway: str) -> None:
    """Dropped as in the reference code: the lateral connections add nothing, and the head gets the pooled audio."""
    aligned = golden_input("audio", 1, 1, 1, 128, 80)[:, 0]
    misaligned = golden_input("misaligned audio", 1, 1, 1, 128, 80)[:, 0]
    audio = DropPathway(float(pathway == "dropped"), full=False).train()(aligned, HAS_AUDIO, misaligned)
    features = avslowfast.backbone(golden_input("fast", 1, 3, 32, 224, 224), audio)
    expected = expected_output("av4x16_r50", "train")[pathway]
    logits = avslowfast.head(features, 1)["action"][:, 0]
    assert (logits - torch.tensor(expected["logits"])).abs().max() <= 1e-3
    losses = {"res3": 0.0, "res4": 0.0, "pool5": 0.0}
    for pair in features.audio.pairs:
        losses[pair.stage] = avslowfast.sync[pair.stage](pair, valid_pairs(aligned, misaligned)).item()
    assert list(losses.values()) == pytest.approx(list(expected["losses"].values()), abs=1e-5)


@torch.no_grad()
def test_slowfast_32x2_on_ava() -> None:
    config = ModelConfig(
        audio=False,
        slow_frames=8,
        slow_stride=8,
        alpha=4,
        fast_to_slow_kernel=7,
        fast_to_slow_stages=("pool1", "res2", "res3", "res4"),
    )
    model = build_model(config, num_classes=80, head="roi").eval()
    state = weights("slowfast_ava_32x2_r50.keys.txt")
    assert len(load_state(model, state).loaded) == len(state) == len(model.state_dict())
    rois = torch.from_numpy(recipe().boxes(2, 224))
    features = model.backbone(golden_input("fast", 2, 3, 32, 224, 224), no_audio(rois.device))
    logits = model.head(features, 2, rois[:, 1:], rois[:, 0].long())["action"]
    expected = torch.tensor(expected_output("ava_sf32x2_r50", "eval")["logits"])
    assert (logits - expected).abs().max() <= 1e-3
