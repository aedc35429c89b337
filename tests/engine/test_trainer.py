from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from avdet.engine.nonfinite import NonFiniteError
from avdet.engine.optim import LRSchedule
from avdet.engine.trainer import Trainer
from avdet.models.build import build_model
from avdet.structures import ClipBatch
from tests.engine.shared import SINGLE_PROCESS
from tests.models.tiny import tiny_batch, tiny_config


class BrightnessModel(nn.Module):
    """A linear function of each clip's mean brightness, without batch norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(1, 1)

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        mean = batch.frames.float().mean(dim=(1, 2, 3, 4)).unsqueeze(1) / 255
        return {"brightness": (self.linear(mean) - 1).square().mean()}


class BoxWidthModel(nn.Module):
    """A model whose loss is a mean over boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.3))

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        return {"width": (self.weight * batch.boxes_px[:, 2]).sum() / max(len(batch.boxes_px), 1)}


def make_trainer(model: nn.Module, *, lr: float = 0.1, report_dir: Path = Path(), **settings: object) -> Trainer:
    optimizer = SGD(model.parameters(), lr=lr)
    schedule = LRSchedule(lr, epochs=1)
    return Trainer(model, optimizer, schedule, SINGLE_PROCESS, report_dir=report_dir, **settings)  # type: ignore[arg-type]


def audiovisual_model() -> nn.Module:
    torch.manual_seed(0)
    return build_model(tiny_config(), num_classes=3, head="roi")


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_accumulation_gives_the_update_of_the_whole_batch(steps: int) -> None:
    batch = tiny_batch((True,) * 5)
    whole, accumulated = make_trainer(BrightnessModel()), make_trainer(BrightnessModel(), accumulation_steps=steps)
    for _ in range(3):
        expected, actual = whole.train_step(batch), accumulated.train_step(batch)
        assert torch.allclose(expected["brightness"], actual["brightness"], atol=1e-6)
    for a, b in zip(whole.model.parameters(), accumulated.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_micro_batch_without_boxes_has_no_share() -> None:
    batch = tiny_batch((True,) * 4)
    in_first_half = batch.box_clip < 2
    batch = replace(
        batch,
        boxes_px=batch.boxes_px[in_first_half],
        box_clip=batch.box_clip[in_first_half],
        labels={name: label[in_first_half] for name, label in batch.labels.items()},
    )
    assert len(batch.box_clip)
    whole, accumulated = make_trainer(BoxWidthModel()), make_trainer(BoxWidthModel(), accumulation_steps=2)
    expected, actual = whole.train_step(batch), accumulated.train_step(batch)
    assert expected["width"].item() == pytest.approx(actual["width"].item())
    assert whole.model.weight.item() == pytest.approx(accumulated.model.weight.item())  # type: ignore[operator]


def test_gradients_are_clipped_to_their_norm() -> None:
    model = BrightnessModel()
    before = [p.detach().clone() for p in model.parameters()]
    make_trainer(model, lr=1.0, grad_clip_norm=0.01).train_step(tiny_batch())
    update = torch.cat([(a - b).flatten() for a, b in zip(model.parameters(), before, strict=True)])
    assert update.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_ema_follows_the_weights() -> None:
    """By hand: the first step sets the average, then ema = 0.9 ema + 0.1 weight."""
    trainer = make_trainer(BrightnessModel(), ema_decay=0.9)
    expected = None
    for _ in range(4):
        trainer.train_step(tiny_batch())
        weight = trainer.model.linear.weight.detach().clone()  # type: ignore[union-attr, operator]
        expected = weight if expected is None else 0.9 * expected + 0.1 * weight
    assert trainer.eval_model is not trainer.model
    average = trainer.eval_model.linear.weight  # type: ignore[union-attr]
    assert torch.allclose(average, expected)  # type: ignore[arg-type]
    restored = make_trainer(BrightnessModel(), ema_decay=0.9)
    restored.load_state_dict(trainer.state_dict())
    assert torch.equal(restored.eval_model.linear.weight, average)  # type: ignore[union-attr, arg-type]


def test_skipped_steps_change_nothing(tmp_path: Path) -> None:
    model = audiovisual_model()
    trainer = make_trainer(model, max_nonfinite_steps=2, report_dir=tmp_path)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    nonfinite = tiny_batch()
    assert nonfinite.audio is not None
    nonfinite.audio[0] = torch.inf
    for _ in range(2):
        trainer.train_step(nonfinite)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    trainer.train_step(tiny_batch())
    with pytest.raises(NonFiniteError, match=r"train\.max_nonfinite_steps=3"):
        trainer.train_step(nonfinite)


@pytest.mark.parametrize("boxes", [0, 1, 300])
def test_any_number_of_boxes(boxes: int) -> None:
    losses = make_trainer(audiovisual_model()).train_step(tiny_batch((True, False), boxes=boxes))
    assert all(loss.isfinite() for loss in losses.values())


def test_boxes_without_area() -> None:
    batch = tiny_batch()
    batch.boxes_px[:, 2:] = batch.boxes_px[:, :2]
    assert all(loss.isfinite() for loss in make_trainer(audiovisual_model()).train_step(batch).values())
