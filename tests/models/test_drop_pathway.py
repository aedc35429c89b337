from __future__ import annotations

import pytest
import torch
from torch import nn

from avdet.models.drop_pathway import AudioState, DropPathway, no_audio

AUDIO = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 1, 2, 3)
ALL = torch.ones(4, dtype=torch.bool)


def drops(rate: float, *, training: bool, calls: int = 400) -> float:
    torch.manual_seed(0)
    drop = DropPathway(rate).train(training)
    return sum(not drop(AUDIO, ALL).fuses for _ in range(calls)) / calls


def test_drops_at_its_rate_in_training_and_never_otherwise() -> None:
    assert drops(0.8, training=True) == pytest.approx(0.8, abs=0.06)  # 3 standard deviations
    assert drops(0.8, training=False) == 0
    assert drops(0.0, training=True) == 0
    assert drops(1.0, training=True) == 1


def test_the_draw_comes_from_torchs_generator() -> None:
    drop = DropPathway(0.5).train()

    def draws() -> list[bool]:
        return [drop(AUDIO, ALL).fuses for _ in range(30)]

    torch.manual_seed(3)
    first = draws()
    torch.manual_seed(3)
    assert draws() == first and 0 < sum(first) < 30


def test_altogether_is_silence() -> None:
    sound = DropPathway(1.0).train()(AUDIO, ALL)
    assert len(sound) == 0 and not sound.fuses
    assert sound.pool(4, 1).tolist() == [[0.0]] * 4


def test_altogether_with_a_synchronisation_loss_is_heard_by_that_alone() -> None:
    sound = DropPathway(1.0).train()(AUDIO, ALL, AUDIO + 10)
    assert len(sound) == 4 and sound.may_pair and not sound.fuses
    assert sound.features[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 10, 11, 12, 13]
    assert sound.pool(4, 1).tolist() == [[0.0]] * 4


def test_lateral_only_leaves_the_head_its_sound() -> None:
    sound = DropPathway(1.0, full=False).train()(AUDIO, ALL)
    assert sound.fuses and sound.lateral == 0
    assert sound.pool(4, 1).flatten().tolist() == [0, 1, 2, 3]
    pictures, after = sound.add_to(torch.ones(4, 1, 1), torch.full((4, 1, 1), 5.0))
    assert pictures.flatten().tolist() == [1, 1, 1, 1] and not after.mixed


def test_clips_without_sound_are_not_heard() -> None:
    sound = DropPathway(0.0).train()(AUDIO, torch.tensor([True, False, True, False]))
    assert sound.clips.tolist() == [0, 2] and sound.features[:, 0, 0, 0].tolist() == [0, 2]
    assert sound.pool(4, 1).flatten().tolist() == [0, 0, 2, 0]
    pictures, after = sound.add_to(torch.ones(4, 1), torch.tensor([[10.0], [20.0]]))
    assert pictures.flatten().tolist() == [11, 1, 21, 1] and after.mixed


def test_without_any_sound_no_layer_runs() -> None:
    class Bomb(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise AssertionError

    for sound in (DropPathway(0.0)(None, torch.zeros(4, dtype=torch.bool)), no_audio(torch.device("cpu"))):
        assert sound.through(Bomb()) is sound


def test_pairs_stay_pairs() -> None:
    """The reference interleaves and then halves, which mixes clips up from two a batch on."""
    sound = DropPathway(0.0)(AUDIO, torch.tensor([True, True, False, True]), 10 + AUDIO)
    heard = sound.features.mean(dim=3)
    (pair,) = sound.show("res3", torch.arange(4.0), heard).pairs
    assert pair.pictures.tolist() == [0, 1, 3]
    assert pair.aligned[:, 0, 0].tolist() == [0, 1, 3]
    assert pair.misaligned[:, 0, 0].tolist() == [10, 11, 13]


def test_the_head_hears_the_aligned_sound_only() -> None:
    sound = DropPathway(0.0)(AUDIO, ALL, AUDIO + 10)
    assert sound.pool(4, 1).flatten().tolist() == [0, 1, 2, 3]


def test_unpaired_sound_has_nothing_to_show() -> None:
    assert not AudioState(AUDIO, torch.arange(4)).may_pair
    assert not AudioState(AUDIO, torch.arange(2), paired=True, mixed=True).may_pair
