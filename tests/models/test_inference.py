from __future__ import annotations

import pytest
import torch
from torch import nn

from avdet.models.blocks import Norm
from avdet.models.build import build_model
from avdet.models.inference import for_inference
from tests.models.tiny import shake, tiny_batch, tiny_config


def test_gives_the_same_scores_without_batch_norms() -> None:
    model = build_model(tiny_config(nonlocal_blocks=(0,)), num_classes=3, head="roi")
    shake(model)
    model.train()(tiny_batch(seed=1))  # statistics of their own
    model.eval()
    frozen = for_inference(model)
    batch = tiny_batch((True, False))
    torch.testing.assert_close(frozen.predict(batch), model.predict(batch), rtol=1e-4, atol=1e-5)
    norms = [name for name, module in frozen.named_modules() if isinstance(module, Norm)]
    # Before the one is a linear layer, and before the other two convolutions are summed.
    assert norms == ["backbone.slow.res4.nonlocal0.gather.norm", "backbone.audio.conv1.norm"]
    assert any(isinstance(module, Norm) for module in model.modules())


def test_bfloat16_is_near() -> None:
    model = build_model(tiny_config(), num_classes=3, head="roi").eval()
    frozen = for_inference(model, torch.bfloat16)
    convolutions = [module for module in frozen.modules() if isinstance(module, nn.Conv2d) and module.bias is not None]
    assert convolutions and all(module.weight.dtype == torch.bfloat16 for module in convolutions)
    batch = tiny_batch()
    with torch.autocast("cpu", torch.bfloat16):
        scores = frozen.predict(batch)
    assert scores.dtype == torch.float32
    assert scores == pytest.approx(model.predict(batch), abs=0.01)
