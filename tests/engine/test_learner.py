from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from avdet.distributed import DistributedContext
from avdet.engine.learner import Learner
from avdet.engine.nonfinite import NonFiniteError
from avdet.models.build import build_model
from avdet.structures import ClipBatch
from tests.models.tiny import tiny_batch, tiny_config

ALONE = DistributedContext(0, 1, torch.device("cpu"))


class Brightness(nn.Module):
    """A model without batch norm: how bright are the clips?"""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        mean = batch.frames.float().mean(dim=(1, 2, 3, 4)).unsqueeze(1) / 255
        return {"bright": (self.linear(mean) - 1).square().mean()}


def learner(model: nn.Module, lr: float = 0.1, **extras: object) -> Learner:
    return Learner(model, SGD(model.parameters(), lr=lr), ALONE, **extras)  # type: ignore[arg-type]


def brightness() -> Brightness:
    torch.manual_seed(0)
    return Brightness()


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_accumulated_parts_are_one_update(parts: int) -> None:
    batch = tiny_batch((True,) * 5)
    whole, split = learner(brightness()), learner(brightness(), accumulate=parts)
    for _ in range(3):
        one, other = whole.step(batch), split.step(batch)
        assert torch.allclose(one["bright"], other["bright"], atol=1e-6)
    for a, b in zip(whole.module.parameters(), split.module.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


class People(nn.Module):
    """A model whose loss is a mean over boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.3))

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        return {"wide": (self.weight * batch.boxes_px[:, 2]).sum() / max(len(batch.boxes_px), 1)}


def test_a_part_without_people_counts_for_nothing() -> None:
    batch = tiny_batch((True,) * 4)
    first = batch.box_clip < 2
    batch = replace(batch, boxes_px=batch.boxes_px[first], box_clip=batch.box_clip[first],
                    labels={name: label[first] for name, label in batch.labels.items()})  # fmt: skip
    assert len(batch.box_clip)
    one, other = learner(People()), learner(People(), accumulate=2)
    assert one.step(batch)["wide"].item() == pytest.approx(other.step(batch)["wide"].item())
    assert one.module.weight.item() == pytest.approx(other.module.weight.item())  # type: ignore[operator]


def test_gradients_are_clipped_to_their_norm() -> None:
    model = brightness()
    before = [p.detach().clone() for p in model.parameters()]
    learner(model, lr=1.0, grad_clip_norm=0.01).step(tiny_batch())
    moved = torch.cat([(a - b).flatten() for a, b in zip(model.parameters(), before, strict=True)])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_the_average_follows_the_weights() -> None:
    """By hand: the first update sets it, then w' = 0.9 w' + 0.1 w."""
    one = learner(brightness(), ema=0.9)
    expected = None
    for _ in range(4):
        one.step(tiny_batch())
        weight = one.module.linear.weight.detach().clone()  # type: ignore[union-attr, operator]
        expected = weight if expected is None else 0.9 * expected + 0.1 * weight
    assert one.evaluated is not one.module
    assert torch.allclose(one.evaluated.linear.weight, expected)  # type: ignore[union-attr, arg-type]
    again = learner(brightness(), ema=0.9)
    again.restore(one.state())
    assert torch.equal(again.evaluated.linear.weight, one.evaluated.linear.weight)  # type: ignore[union-attr, arg-type]


def audiovisual() -> nn.Module:
    torch.manual_seed(0)
    return build_model(tiny_config(), num_classes=3, head="roi")


def test_broken_sound_is_named_and_kept(tmp_path: Path) -> None:
    batch = tiny_batch((True, True))
    assert batch.audio is not None
    batch.audio[1, 0, 3, 2] = torch.nan
    with pytest.raises(NonFiniteError, match=r"the sound of clip1 at 0 s is not finite .*nonfinite_1\.pt"):
        learner(audiovisual(), reports=tmp_path).step(batch)
    kept = torch.load(tmp_path / "nonfinite_1.pt", weights_only=True)
    assert kept["clips"] == [("clip0", 0.0), ("clip1", 0.0)] and kept["audio"].isnan().sum() == 1


def test_the_layer_is_named() -> None:
    model = audiovisual()
    with torch.no_grad():
        dict(model.named_parameters())["backbone.slow.res3.block0.branch.b.conv.weight"].fill_(torch.inf)
    with pytest.raises(NonFiniteError, match=r"the output of backbone\.slow\.res3\.block0\.branch\.b"):
        learner(model).step(tiny_batch())


def test_a_few_bad_updates_are_left_out_without_a_trace() -> None:
    model = audiovisual()
    one = learner(model, max_nonfinite_steps=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    bad = tiny_batch()
    assert bad.audio is not None
    bad.audio[0] = torch.inf
    for _ in range(2):
        one.step(bad)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    one.step(tiny_batch())
    with pytest.raises(NonFiniteError, match="max_nonfinite=3"):
        one.step(bad)


@pytest.mark.parametrize("boxes", [0, 1, 300])
def test_any_number_of_boxes(boxes: int) -> None:
    losses = learner(audiovisual()).step(tiny_batch((True, False), boxes=boxes))
    assert all(loss.isfinite() for loss in losses.values())


def test_boxes_of_no_area() -> None:
    batch = tiny_batch()
    batch.boxes_px[:, 2:] = batch.boxes_px[:, :2]
    assert all(loss.isfinite() for loss in learner(audiovisual()).step(batch).values())
