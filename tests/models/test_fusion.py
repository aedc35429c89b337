"""The fusion classes: gradients, shapes, and which features each of them changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from avdet.models.drop_pathway import AudioState
from avdet.models.fusion import (
    AudioLateral,
    AudioToFastSlow,
    AudioToFastToSlow,
    AudioVisualNonLocal,
    FastToSlow,
    LateralFusion,
    NoLateral,
    SyncTap,
)
from avdet.models.nonlocal_block import CrossAttention
from tests.models.tiny import shake

SLOW, FAST, AUDIO = (2, 3, 2, 2, 2), (2, 2, 4, 2, 2), (2, 2, 8, 3)  # alpha 2; 4 audio steps per slow frame
CLIPS = torch.arange(2)


def f2s() -> FastToSlow:
    return FastToSlow(FAST[1], kernel=3, alpha=2)


def audio_lateral(dim_out: int, stride: int) -> AudioLateral:
    return AudioLateral(AUDIO[1], 3, dim_out, stride=stride)


FUSIONS: dict[str, Callable[[], nn.Module]] = {
    "F->S": lambda: LateralFusion(f2s()),
    "A->S": lambda: AudioToFastSlow(NoLateral(), audio_lateral(3, 4)),
    "A->FS": lambda: AudioToFastSlow(f2s(), audio_lateral(7, 4)),
    "A->F->S": lambda: AudioToFastToSlow(f2s(), audio_lateral(2, 2)),
    "non-local": lambda: AudioVisualNonLocal(f2s(), CrossAttention(7, 2, 3, softmax=True)),
}
WITH_AUDIO = [name for name in FUSIONS if name != "F->S"]


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    return shake(FUSIONS[name]()).double()


def inputs_of(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    slow, fast, audio = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in (SLOW, FAST, AUDIO))
    return slow, fast, audio


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", FUSIONS)
def test_gradient_is_the_numerical_one(name: str, training: bool) -> None:
    """Of every input and every parameter, in float64, along random directions."""
    fusion = build(name).train(training)
    inputs = [x.requires_grad_() for x in inputs_of()]

    def run(slow: Tensor, fast: Tensor, audio: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        slow, fast, _ = fusion(slow, fast, AudioState(audio, CLIPS))
        return slow, fast

    assert gradcheck(run, (*inputs, *fusion.parameters()), fast_mode=True)


@pytest.mark.parametrize("name", FUSIONS)
def test_shapes(name: str) -> None:
    slow, fast, _ = build(name)(*inputs_of()[:2], AudioState(inputs_of()[2], CLIPS))
    assert slow.shape[1] == (3 if name == "A->S" else 7)
    assert slow.shape[2:] == SLOW[2:] and fast.shape == FAST


@pytest.mark.parametrize("name", WITH_AUDIO)
def test_a_clip_gets_its_own_audio_only(name: str) -> None:
    fusion = build(name).eval()
    slow, fast, audio = inputs_of()
    both = fusion(slow, fast, AudioState(audio, CLIPS))[0]
    second = fusion(slow, fast, AudioState(audio[1:], CLIPS[1:]))[0]
    none = fusion(slow, fast, AudioState(audio[:0], CLIPS[:0], lateral=None))[0]
    assert torch.equal(second[0], none[0]) and not torch.allclose(both[0], none[0])
    torch.testing.assert_close(second[1], both[1])


@pytest.mark.parametrize("name", WITH_AUDIO)
def test_a_dropped_pathway_adds_nothing_trains_nothing_and_leaves_the_norms_alone(name: str) -> None:
    fusion = build(name).train()
    slow, fast, audio = inputs_of()
    audio_parts = [part for part in fusion.children() if not isinstance(part, FastToSlow | NoLateral)]
    before = [tensor.clone() for part in audio_parts for tensor in part.state_dict().values()]
    dropped, _, result = fusion(slow, fast.requires_grad_(), AudioState(audio.requires_grad_(), CLIPS, lateral=None))
    (dropped.sum() + fast.sum()).backward()
    assert not result.mixed and not result.pairs and audio.grad is None
    assert before and all(parameter.grad is None for part in audio_parts for parameter in part.parameters())
    after = [tensor for part in audio_parts for tensor in part.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_to_fs_adds_the_same_at_every_position_of_a_frame() -> None:
    fusion = build("A->FS").eval()
    assert isinstance(fusion, AudioToFastSlow)
    slow, fast, audio = inputs_of()
    fused, fast_out, after = fusion(slow, fast, AudioState(audio, CLIPS))
    assert torch.equal(fast_out, fast) and after.mixed
    added = fused - fusion.fast_to_slow(slow, fast)
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added))
    torch.testing.assert_close(added[..., 0, 0], fusion.audio_lateral(audio).squeeze(3))


def test_f_to_s_is_concatenated_after_slow() -> None:
    slow, fast, audio = inputs_of()
    fused, _, _ = build("F->S")(slow, fast, AudioState(audio, CLIPS))
    assert torch.equal(fused[:, :3], slow)


def test_f_to_s_without_a_norm_is_the_convolution_alone() -> None:
    lateral = FastToSlow(2, kernel=3, alpha=2, norm=False)
    slow, fast = torch.zeros(1, 1, 2, 1, 1), torch.randn(1, 2, 4, 1, 1)
    expected = torch.nn.functional.conv1d(fast.flatten(2), lateral.conv.conv.weight[..., 0], stride=2, padding=1)
    assert set(lateral.state_dict()) == {"conv.conv.weight"} and expected.min() < 0
    torch.testing.assert_close(lateral(slow, fast)[:, 1:].flatten(2), expected)


def test_a_to_f_to_s_adds_to_fast_before_it_is_fused() -> None:
    """Fast keeps the sum; Slow's own channels stay as they are."""
    slow, fast, audio = inputs_of()
    fused, fast_out, _ = build("A->F->S").eval()(slow, fast, AudioState(audio, CLIPS))
    assert torch.equal(fused[:, :3], slow) and not torch.allclose(fast_out, fast)
    added = fast_out - fast
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added))


def test_nothing_flows_back_into_audio() -> None:
    slow, fast, audio = inputs_of()
    for name in WITH_AUDIO:
        assert build(name)(slow, fast, AudioState(audio, CLIPS))[2].features is audio


@pytest.mark.parametrize("name", ["A->FS", "A->F->S", "non-local"])
def test_the_avs_loss_gets_visual_features_before_the_fusion(name: str) -> None:
    fusion = build(name).eval()
    if isinstance(fusion, AudioToFastSlow):
        fusion.sync_stage = "res3"
    else:
        fusion.sync_tap = shake(SyncTap("res3", NoLateral(), audio_lateral(7, 4))).double().eval()
    slow, fast, audio = inputs_of()
    misaligned = inputs_of(1)[2]
    state = AudioState(torch.cat([audio, misaligned]), CLIPS, paired=True)
    fused, _, after = fusion(slow, fast, state)
    (pair,) = after.pairs
    silent = fusion(slow, fast, AudioState(audio[:0], CLIPS[:0], lateral=None))[0]
    assert torch.equal(pair.visual, silent) and not torch.allclose(fused, silent)
    assert pair.aligned.shape == pair.misaligned.shape == (2, 7, 2)
    assert not fusion(slow, fast, after)[2].pairs[1:]  # a later stage adds no pair
    torch.testing.assert_close(fused, fusion(slow, fast, AudioState(audio, CLIPS))[0])
