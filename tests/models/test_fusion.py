from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from avdet.models.drop_pathway import AudioState
from avdet.models.fusion import (
    AudioToFastSlow,
    AudioToFastToSlow,
    AudioToTime,
    AudioVisualNonLocal,
    FastToSlow,
    LateralFusion,
    NoLateral,
    SyncTap,
)
from tests.models.tiny import shake

SLOW, FAST, AUDIO = (2, 3, 2, 2, 2), (2, 2, 4, 2, 2), (2, 2, 8, 3)  # alpha 2; 4 steps of sound a slow frame
CLIPS = torch.arange(2)


def f2s() -> FastToSlow:
    return FastToSlow(FAST[1], kernel=3, alpha=2)


def to_time(dim_out: int, stride: int) -> AudioToTime:
    return AudioToTime(AUDIO[1], 3, dim_out, stride=stride)


FUSIONS: dict[str, Callable[[], nn.Module]] = {
    "F->S": lambda: LateralFusion(f2s()),
    "A->S": lambda: AudioToFastSlow(NoLateral(), to_time(3, 4)),
    "A->FS": lambda: AudioToFastSlow(f2s(), to_time(7, 4)),
    "A->F->S": lambda: AudioToFastToSlow(f2s(), to_time(2, 2)),
    "non-local": lambda: AudioVisualNonLocal(f2s(), 7, 2),
}
HEARING = [name for name in FUSIONS if name != "F->S"]


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    return shake(FUSIONS[name]()).double()


def given(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    slow, fast, audio = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in (SLOW, FAST, AUDIO))
    return slow, fast, audio


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", FUSIONS)
def test_gradient_is_the_numerical_one(name: str, training: bool) -> None:
    """Of every input and every parameter, in float64, along random directions."""
    junction = build(name).train(training)
    inputs = [x.requires_grad_() for x in given()]

    def run(slow: Tensor, fast: Tensor, audio: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        slow, fast, _sound = junction(slow, fast, AudioState(audio, CLIPS))
        return slow, fast

    assert gradcheck(run, (*inputs, *junction.parameters()), fast_mode=True)


@pytest.mark.parametrize("name", FUSIONS)
def test_shapes(name: str) -> None:
    slow, fast, _ = build(name)(*given()[:2], AudioState(given()[2], CLIPS))
    assert slow.shape[1] == (3 if name == "A->S" else 7)
    assert slow.shape[2:] == SLOW[2:] and fast.shape == FAST


@pytest.mark.parametrize("name", HEARING)
def test_a_clip_hears_its_own_sound_only(name: str) -> None:
    junction = build(name).eval()
    slow, fast, audio = given()
    both = junction(slow, fast, AudioState(audio, CLIPS))[0]
    second = junction(slow, fast, AudioState(audio[1:], CLIPS[1:]))[0]
    none = junction(slow, fast, AudioState(audio[:0], CLIPS[:0], lateral=None))[0]
    assert torch.equal(second[0], none[0]) and not torch.allclose(both[0], none[0])
    torch.testing.assert_close(second[1], both[1])


@pytest.mark.parametrize("name", HEARING)
def test_dropped_adds_nothing_trains_nothing_and_leaves_the_norms_alone(name: str) -> None:
    junction = build(name).train()
    slow, fast, audio = given()
    hearing = [part for part in junction.children() if not isinstance(part, FastToSlow | NoLateral)]
    before = [tensor.clone() for part in hearing for tensor in part.state_dict().values()]
    dropped, _, sound = junction(slow, fast.requires_grad_(), AudioState(audio.requires_grad_(), CLIPS, lateral=None))
    (dropped.sum() + fast.sum()).backward()
    assert not sound.mixed and not sound.pairs and audio.grad is None
    assert before and all(parameter.grad is None for part in hearing for parameter in part.parameters())
    after = [tensor for part in hearing for tensor in part.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_fs_is_a_sum_that_every_place_of_a_frame_shares() -> None:
    junction = build("A->FS").eval()
    assert isinstance(junction, AudioToFastSlow)
    slow, fast, audio = given()
    fused, fast_out, sound = junction(slow, fast, AudioState(audio, CLIPS))
    assert torch.equal(fast_out, fast) and sound.mixed
    added = fused - junction.fast_to_slow(slow, fast)
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added))
    torch.testing.assert_close(added[..., 0, 0], junction.to_time(audio).squeeze(3))


def test_f_s_is_concatenated_behind_slow() -> None:
    slow, fast, audio = given()
    fused, _, _ = build("F->S")(slow, fast, AudioState(audio, CLIPS))
    assert torch.equal(fused[:, :3], slow)


def test_sound_reaches_slow_through_fast() -> None:
    """A->F->S: Fast goes on with what it heard, Slow's own channels are untouched."""
    slow, fast, audio = given()
    fused, louder, _ = build("A->F->S").eval()(slow, fast, AudioState(audio, CLIPS))
    assert torch.equal(fused[:, :3], slow) and not torch.allclose(louder, fast)
    added = louder - fast
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added))


def test_nothing_flows_back_into_audio() -> None:
    slow, fast, audio = given()
    for name in HEARING:
        assert build(name)(slow, fast, AudioState(audio, CLIPS))[2].features is audio


@pytest.mark.parametrize("name", ["A->FS", "A->F->S", "non-local"])
def test_the_synchronisation_loss_sees_pictures_that_heard_nothing(name: str) -> None:
    junction = build(name).eval()
    if isinstance(junction, AudioToFastSlow):
        junction.sync_stage = "res3"
    else:
        junction.probe = shake(SyncTap("res3", NoLateral(), to_time(7, 4))).double().eval()
    slow, fast, audio = given()
    misaligned = given(1)[2]
    sound = AudioState(torch.cat([audio, misaligned]), CLIPS, paired=True)
    fused, _, after = junction(slow, fast, sound)
    (pair,) = after.pairs
    silent = junction(slow, fast, AudioState(audio[:0], CLIPS[:0], lateral=None))[0]
    assert torch.equal(pair.pictures, silent) and not torch.allclose(fused, silent)
    assert pair.aligned.shape == pair.misaligned.shape == (2, 7, 2)
    assert not junction(slow, fast, after)[2].pairs[1:]  # a later junction has nothing new to tell
    torch.testing.assert_close(fused, junction(slow, fast, AudioState(audio, CLIPS))[0])
