"""Class activation maps: they add up to the logits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.class_activation import activation_maps
from avdet.models.heads import RoIHead
from tests.models.tiny import shake, tiny_batch, tiny_config


def _model(**changes: object) -> ActionModel:
    model = shake(build_model(tiny_config(**changes), num_classes=3, head="roi")).eval()
    assert isinstance(model, ActionModel)
    return model


def test_the_mean_of_the_audio_map_is_what_audio_adds_to_the_logit() -> None:
    """Without lateral connections, where audio reaches the logit through its mean alone."""
    model, batch = _model(fusion_stages=()), tiny_batch((True, False))
    maps = activation_maps(model, batch, torch.tensor([0, 1, 2, 1]))
    assert maps.audio is not None
    torch.testing.assert_close(
        maps.audio.mean(dim=(1, 2)), maps.logits - maps.logits_without_audio, atol=1e-4, rtol=1e-4
    )
    assert maps.audio[:2].abs().max() > 0 and not maps.audio[2:].any()  # the second clip has no audio


def test_the_logits_are_the_models_with_and_without_audio() -> None:
    model, batch = _model(), tiny_batch((True, True))
    classes = torch.tensor([2, 0, 1, 1])
    maps = activation_maps(model, batch, classes)
    silent = replace(batch, has_audio=torch.tensor([False, False]))
    for logits, given in [(maps.logits, batch), (maps.logits_without_audio, silent)]:
        torch.testing.assert_close(logits.sigmoid(), model.predict(given).gather(1, classes[:, None]).squeeze(1))
    assert (maps.logits - maps.logits_without_audio).abs().min() > 1e-3


def test_the_visual_map_is_each_positions_contribution() -> None:
    """With a head that reads one cell, the logit is that cell's mean over time plus the bias."""
    model, batch = _model(audio=False), tiny_batch((False, False), boxes=1)
    assert isinstance(model.head, RoIHead)

    class OneCell(nn.Module):
        def forward(self, maps: Tensor, rois: Tensor) -> Tensor:
            return maps[rois[:, 0].long()][:, :, 1:2, 0:1]

    model.head.roi_align = OneCell()
    maps = activation_maps(model, batch, torch.tensor([1, 2]))
    assert maps.visual.shape == (2, 4, 2, 2) and maps.audio is None
    (linear,) = model.head.classifier.linear.values()
    assert isinstance(linear, nn.Linear)
    cell = maps.visual[:, :, 1, 0].mean(dim=1) + linear.bias[[1, 2]]
    torch.testing.assert_close(cell, maps.logits, atol=1e-4, rtol=1e-4)


def test_an_audio_only_model_is_refused() -> None:
    with pytest.raises(AssertionError, match="audio-only"):
        activation_maps(_model(audio="only"), tiny_batch(), torch.zeros(4, dtype=torch.long))
