"""The Slow pathway as a network of its own."""

from __future__ import annotations

import pytest
import torch

from avdet.models.build import build_model
from avdet.models.drop_pathway import no_audio
from avdet.models.one_pathway import SlowOnly
from tests.models.tiny import shake, tiny_batch, tiny_config

SLOW = {"audio": False, "pathways": ("slow",)}


@pytest.mark.parametrize("head", ["roi", "clip"])
def test_it_equals_the_slow_pathway_of_a_slowfast_without_lateral_connections(head: str) -> None:
    alone = build_model(tiny_config(**SLOW), num_classes=3, head=head)  # type: ignore[arg-type]
    both = build_model(
        tiny_config(audio=False, fast_to_slow_stages=(), slow_sampling="stride"),
        num_classes=3,
        head=head,  # type: ignore[arg-type]
    )
    shake(alone).eval()
    shake(both, seed=1).eval()
    state = alone.state_dict()
    for name, tensor in both.state_dict().items():
        if ".slow." in name:
            tensor.copy_(state[name])
    frames = tiny_batch(frames=4).frames
    with torch.no_grad():
        (slow,) = alone.backbone(frames[:, :, ::2], no_audio(frames.device)).visual
        expected, _ = both.backbone(frames, no_audio(frames.device)).visual
    torch.testing.assert_close(slow, expected)


def test_it_has_no_other_weights_and_sees_every_frame() -> None:
    model = build_model(tiny_config(**SLOW), num_classes=3, head="roi").eval()
    assert isinstance(model.backbone, SlowOnly)
    assert {name.rsplit(".", 1)[0].split(".")[0] for name in model.backbone.state_dict()} == {"slow"}
    assert model.head.classifier.linear["action"].weight.shape == (3, 256)
    assert model.predict(tiny_batch(frames=2)).shape == (4, 3)
    for count in range(1, 65):
        frames = torch.arange(count).reshape(1, 1, count, 1, 1).float().expand(1, 3, count, 1, 1)
        slow, _ = model.backbone.pack_pathways(frames)
        assert torch.equal(slow, frames)


def test_it_trains() -> None:
    model = build_model(tiny_config(**SLOW), num_classes=3, head="roi")
    losses = model(tiny_batch(frames=2))
    torch.stack(list(losses.values())).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
