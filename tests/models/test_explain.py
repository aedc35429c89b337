from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.explain import activation_maps
from avdet.models.roi_head import RoIHead
from tests.models.tiny import shake, tiny_batch, tiny_config


def _model(**changes: object) -> ActionModel:
    model = shake(build_model(tiny_config(**changes), num_classes=3, head="roi")).eval()
    assert isinstance(model, ActionModel)
    return model


def test_the_sound_s_map_is_what_it_adds() -> None:
    """Without lateral connections sound reaches the logit only through its mean."""
    model, batch = _model(fusion_stages=()), tiny_batch((True, False))
    maps = activation_maps(model, batch, torch.tensor([0, 1, 2, 1]))
    assert maps.sound is not None
    torch.testing.assert_close(
        maps.sound.mean(dim=(1, 2)), maps.logits - maps.logits_without_audio, atol=1e-4, rtol=1e-4
    )
    assert maps.sound[:2].abs().max() > 0 and not maps.sound[2:].any()  # the second clip has none


def test_the_logits_are_the_model_s_with_sound_and_without() -> None:
    model, batch = _model(), tiny_batch((True, True))
    classes = torch.tensor([2, 0, 1, 1])
    maps = activation_maps(model, batch, classes)
    deaf = replace(batch, has_audio=torch.tensor([False, False]))
    for logits, heard in [(maps.logits, batch), (maps.logits_without_audio, deaf)]:
        torch.testing.assert_close(logits.sigmoid(), model.predict(heard).gather(1, classes[:, None]).squeeze(1))
    assert (maps.logits - maps.logits_without_audio).abs().min() > 1e-3


def test_the_pictures_map_is_what_each_place_says() -> None:
    """A head that reads one cell only gives that cell's mean over time, plus the bias."""
    model, batch = _model(audio=False), tiny_batch((False, False), boxes=1)
    assert isinstance(model.head, RoIHead)

    class OneCell(nn.Module):
        def forward(self, maps: Tensor, rois: Tensor) -> Tensor:
            return maps[rois[:, 0].long()][:, :, 1:2, 0:1]

    model.head.roi_align = OneCell()
    maps = activation_maps(model, batch, torch.tensor([1, 2]))
    assert maps.pictures.shape == (2, 4, 2, 2) and maps.sound is None
    (linear,) = model.head.classifier.linear.values()
    assert isinstance(linear, nn.Linear)
    cell = maps.pictures[:, :, 1, 0].mean(dim=1) + linear.bias[[1, 2]]
    torch.testing.assert_close(cell, maps.logits, atol=1e-4, rtol=1e-4)


def test_a_model_that_only_listens_looks_nowhere() -> None:
    with pytest.raises(AssertionError, match="only models that see"):
        activation_maps(_model(audio="only"), tiny_batch(), torch.zeros(4, dtype=torch.long))
