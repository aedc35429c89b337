"""AudioState and DropPathway, and two processes that each draw their own drops under DistributedDataParallel."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from avdet.models.build import build_model
from avdet.models.drop_pathway import AudioState, DropPathway, no_audio
from tests.models.conftest import RunTwice
from tests.models.tiny import tiny_batch, tiny_config

STEPS = 4
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


def test_full_mode_gives_no_audio() -> None:
    audio = DropPathway(1.0).train()(AUDIO, ALL)
    assert len(audio) == 0 and not audio.fuses
    assert audio.pool(4, 1).tolist() == [[0.0]] * 4


def test_full_mode_keeps_the_audio_for_the_avs_loss_alone() -> None:
    audio = DropPathway(1.0).train()(AUDIO, ALL, AUDIO + 10)
    assert len(audio) == 4 and audio.can_pair and not audio.fuses
    assert audio.features[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 10, 11, 12, 13]
    assert audio.pool(4, 1).tolist() == [[0.0]] * 4


def test_lateral_mode_keeps_the_audio_for_the_head() -> None:
    audio = DropPathway(1.0, full=False).train()(AUDIO, ALL)
    assert audio.fuses and audio.lateral == 0
    assert audio.pool(4, 1).flatten().tolist() == [0, 1, 2, 3]
    visual, after = audio.add_to(torch.ones(4, 1, 1), torch.full((4, 1, 1), 5.0))
    assert visual.flatten().tolist() == [1, 1, 1, 1] and not after.mixed


def test_clips_without_audio_are_left_out() -> None:
    audio = DropPathway(0.0).train()(AUDIO, torch.tensor([True, False, True, False]))
    assert audio.clips.tolist() == [0, 2] and audio.features[:, 0, 0, 0].tolist() == [0, 2]
    assert audio.pool(4, 1).flatten().tolist() == [0, 0, 2, 0]
    visual, after = audio.add_to(torch.ones(4, 1), torch.tensor([[10.0], [20.0]]))
    assert visual.flatten().tolist() == [11, 1, 21, 1] and after.mixed


def test_without_any_audio_no_layer_runs() -> None:
    class Fails(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise AssertionError

    for audio in (DropPathway(0.0)(None, torch.zeros(4, dtype=torch.bool)), no_audio(torch.device("cpu"))):
        assert audio.through(Fails()) is audio


def test_pairs_stay_pairs() -> None:
    """The reference code interleaves the two kinds and then splits in halves, which mixes up the clips of a batch."""
    audio = DropPathway(0.0)(AUDIO, torch.tensor([True, True, False, True]), 10 + AUDIO)
    lateral = audio.features.mean(dim=3)
    (pair,) = audio.with_pair("res3", torch.arange(4.0), lateral).pairs
    assert pair.visual.tolist() == [0, 1, 3]
    assert pair.aligned[:, 0, 0].tolist() == [0, 1, 3]
    assert pair.misaligned[:, 0, 0].tolist() == [10, 11, 13]


def test_the_head_gets_the_aligned_audio_only() -> None:
    audio = DropPathway(0.0)(AUDIO, ALL, AUDIO + 10)
    assert audio.pool(4, 1).flatten().tolist() == [0, 1, 2, 3]


def test_audio_pairs_only_with_misaligned_audio_and_before_any_fusion() -> None:
    assert not AudioState(AUDIO, torch.arange(4)).can_pair
    assert not AudioState(AUDIO, torch.arange(2), paired=True, mixed=True).can_pair


def _train(rank: int, folder: Path) -> None:
    torch.manual_seed(0)
    model = build_model(tiny_config(drop_pathway_rate=0.5, avs_stages=("res3",)), num_classes=3, head="roi")
    parallel = DistributedDataParallel(model, find_unused_parameters=True)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    torch.manual_seed(rank)
    no_gradient = []
    for step in range(STEPS):
        silent = (rank, step) in {(0, 1), (0, 3), (1, 3)}
        batch = tiny_batch((not silent, not silent), boxes=2 * (step > 0), paired=True, seed=2 * step + rank)
        optimizer.zero_grad(set_to_none=True)
        torch.stack([loss.float() for loss in parallel(batch).values()]).sum().backward()
        optimizer.step()
        no_gradient.append(all(p.grad is None for name, p in model.named_parameters() if "backbone.audio." in name))
    torch.save({"state": dict(model.named_parameters()), "no_gradient": no_gradient}, folder / f"{rank}.pt")


def test_processes_that_drop_independently_keep_the_same_weights(in_two_processes: RunTwice, tmp_path: Path) -> None:
    """Without audio in both processes there is no audio gradient; without audio or boxes in one, training goes on."""
    in_two_processes(_train, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first["no_gradient"] == second["no_gradient"] == [False, False, False, True]
    for name, parameter in first["state"].items():
        assert torch.equal(parameter, second["state"][name]), name
