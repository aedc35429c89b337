"""ActionModel: losses, scores, and what each of audio, DropPathway and the AVS loss trains."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.detect import detect
from avdet.structures import ClipBatch
from tests.models.tiny import shake, tiny_batch, tiny_config

AVS = ("res3", "res4", "pool5")


def build(head: str = "roi", *, classes: Any = 3, multilabel: bool | None = None, **changes: Any) -> ActionModel:  # noqa: ANN401  (any setting)
    torch.manual_seed(0)
    assert head in {"roi", "clip"}
    model = build_model(
        tiny_config(**changes),
        num_classes=classes,
        head="roi" if head == "roi" else "clip",
        multilabel=multilabel,
        crop_px=32,
    )
    shake(model)
    return model


def total(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def trained(model: ActionModel) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.grad is not None}


def is_audio(name: str) -> bool:
    return name.startswith("backbone.audio.") or "audio_lateral" in name


def audio_parameters(model: ActionModel) -> set[str]:
    return {name for name, _ in model.named_parameters() if is_audio(name)}


def test_detection_loss_is_the_mean_over_boxes_and_classes() -> None:
    model, batch = build().eval(), tiny_batch()
    losses = model(batch)
    assert list(losses) == ["action"] and losses["action"].ndim == 0
    expected = F.binary_cross_entropy(model.predict(batch), batch.labels["action"])
    torch.testing.assert_close(losses["action"], expected, rtol=1e-4, atol=0)


def test_one_score_per_box_and_class() -> None:
    scores = build(classes=5).eval().predict(tiny_batch((True, True, False), boxes=3))
    assert scores.shape == (9, 5) and 0 <= scores.min() < scores.max() <= 1


def test_prediction_is_for_evaluation_mode() -> None:
    with pytest.raises(AssertionError, match="eval"):
        build().predict(tiny_batch())


def test_a_batch_without_boxes_trains_nothing_but_keeps_the_graph() -> None:
    model = build()
    total(model(tiny_batch(boxes=0))).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    head = dict(model.named_parameters())["head.classifier.linear.action.weight"].grad
    assert head is not None and not head.any()
    assert build().eval().predict(tiny_batch(boxes=0)).shape == (0, 3)


def test_uint8_frames_are_normalised() -> None:
    model, batch = build().eval(), tiny_batch()
    floats = (batch.frames.float() / 255 - 0.45) / 0.225
    torch.testing.assert_close(model.predict(batch), model.predict(dataclasses.replace(batch, frames=floats)))


def test_every_parameter_is_trained() -> None:
    model = build(avs_stages=AVS, nonlocal_blocks=(0,))
    total(model(tiny_batch(paired=True))).backward()
    unused = {name for name in dict(model.named_parameters()) if "pool5" in name or name.startswith("sync.res4")}
    zero = {"sync.res4.audio.bias", "sync.pool5.audio.bias"}  # a loss without pairs is 0 with a graph
    assert trained(model) == set(dict(model.named_parameters())) - unused | zero


def test_dropped_audio_trains_no_audio_parameter() -> None:
    model = build(drop_pathway_rate=1.0)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    total(model(tiny_batch())).backward()
    assert trained(model) == set(dict(model.named_parameters())) - audio_parameters(model)
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name]) == is_audio(name), name


def test_lateral_mode_still_trains_the_audio_pathway_through_the_head() -> None:
    model = build(drop_pathway_rate=1.0, drop_pathway_mode="lateral")
    total(model(tiny_batch())).backward()
    assert trained(model) == set(dict(model.named_parameters()))
    gradients = dict(model.named_parameters())
    lateral = [p.grad for name, p in gradients.items() if "audio_lateral" in name]
    pooled = [p.grad for name, p in gradients.items() if name.startswith("backbone.audio.")]
    assert all(grad is not None and not grad.any() for grad in lateral)
    assert any(grad is not None and grad.any() for grad in pooled)


def test_the_avs_loss_trains_both_projections_and_all_pathways() -> None:
    """Where the pathway is dropped, every stage counts, and the AVS loss alone trains the Audio pathway."""
    model = build(avs_stages=AVS, drop_pathway_rate=1.0)
    losses = model(tiny_batch(paired=True))
    assert list(losses) == ["action", "sync_res3", "sync_res4", "sync_pool5"]
    assert all(losses[f"sync_{stage}"] > 0 for stage in AVS)
    torch.stack([losses[f"sync_{stage}"] for stage in AVS]).sum().backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    for stage in AVS:
        assert {f"sync.{stage}.visual.weight", f"sync.{stage}.audio.weight"} <= gradients.keys()
    for part in ("slow.conv1", "fast.conv1", "audio.conv1", "audio.res5", "slow.res5"):
        assert any(name.startswith(f"backbone.{part}") for name in gradients), part
    assert not any(name.startswith("head") for name in gradients)


@pytest.mark.parametrize("batch", [tiny_batch((False, False)), tiny_batch()], ids=["silent", "unpaired"])
def test_without_a_pair_the_avs_loss_trains_nothing_but_keeps_the_graph(batch: ClipBatch) -> None:
    model = build(head="clip", classes={}, avs_stages=("res3",))
    losses = model(batch)
    assert losses.keys() == {"sync_res3"} and losses["sync_res3"] == 0
    losses["sync_res3"].backward()
    assert not any(p.grad.any() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("fusion_stages", "dropped", "counting"),
    [
        (("res3", "res4"), 0.0, {"res3"}),
        (("res3", "res4"), 1.0, {"res3", "res4", "pool5"}),
        (("res4",), 0.0, {"res3", "res4"}),
        (("res2",), 0.0, {"res2"}),
        ((), 0.0, {"res2", "res3", "res4", "pool5"}),
    ],
)
@pytest.mark.parametrize("kind", ["full", "lateral"])
def test_a_stage_counts_while_no_earlier_one_has_fused_audio(
    fusion_stages: tuple[str, ...], dropped: float, counting: set[str], kind: str
) -> None:
    stages = ("res3", "res4", "pool5") if "res2" not in counting else ("res2", "res3", "res4", "pool5")
    model = build(avs_stages=stages, fusion_stages=fusion_stages, drop_pathway_rate=dropped, drop_pathway_mode=kind)
    losses = model(tiny_batch(paired=True))
    assert {stage for stage in stages if losses[f"sync_{stage}"] > 0} == counting


def test_pairs_stay_pairs_in_batches_of_four() -> None:
    """The AVS loss of a batch is the mean of its clips' losses: no clip gets another's audio. One has none."""
    model = build(avs_stages=AVS, avs_weight=2.0).eval()
    batch = tiny_batch((True, True, False, True), paired=True)
    losses = [model(_only(batch, clip))["sync_res3"].item() for clip in (0, 1, 3)]
    assert len({round(loss, 4) for loss in losses}) == 3
    assert model(batch)["sync_res3"].item() == pytest.approx(sum(losses) / 3, abs=1e-5)


def test_a_clip_does_not_get_another_clips_audio() -> None:
    model = build().eval()
    batch = tiny_batch((True, False, True, True), boxes=1)
    batched = model.predict(batch)
    single = torch.cat([model.predict(_only(batch, clip)) for clip in range(4)])
    torch.testing.assert_close(batched, single, rtol=1e-4, atol=1e-5)


def _only(batch: ClipBatch, clip: int) -> ClipBatch:
    rows = batch.box_clip == clip
    one = slice(clip, clip + 1)
    return dataclasses.replace(
        batch,
        frames=batch.frames[one],
        audio=None if batch.audio is None else batch.audio[one],
        negative_audio=None if batch.negative_audio is None else batch.negative_audio[one],
        has_audio=batch.has_audio[one],
        boxes_px=batch.boxes_px[rows],
        box_clip=torch.zeros(int(rows.sum()), dtype=torch.long),
        labels={name: label[rows] for name, label in batch.labels.items()},
        clips=batch.clips[one],
        people=batch.people[one],
    )


def test_clips_without_audio_do_not_change_the_audio_norms() -> None:
    """Their statistics are those of a batch without these clips."""
    mixed, reference = build(), build()
    batch = tiny_batch((True, False, True))
    mixed(batch)
    with_audio = dataclasses.replace(tiny_batch((True, True)), frames=batch.frames[[0, 2]], audio=batch.audio[[0, 2]])  # type: ignore[index]
    reference(with_audio)
    expected = dict(reference.named_modules())
    norms = {n: m for n, m in mixed.named_modules() if isinstance(m, _BatchNorm) and is_audio(n)}
    assert norms
    for name, norm in norms.items():
        torch.testing.assert_close(norm.running_mean, expected[name].running_mean)


def test_a_batch_without_audio() -> None:
    model = build()
    total(model(tiny_batch((False, False)))).backward()
    assert not trained(model) & audio_parameters(model)
    zeros = tiny_batch((False, False))
    zeros = dataclasses.replace(zeros, audio=torch.zeros(2, 1, 32, 16))
    model.eval()
    assert torch.equal(model.predict(zeros), model.predict(tiny_batch((False, False))))


def test_class_sets_share_a_backbone() -> None:
    model = build("clip", classes={"verb": 4, "noun": 6}).eval()
    batch = dataclasses.replace(
        tiny_batch(boxes=0), labels={"verb": torch.tensor([1, 3]), "noun": torch.tensor([0, 5])}
    )
    losses, scores = model(batch), model.predict_sets(batch)
    assert list(losses) == ["verb", "noun"]
    assert scores["verb"].shape == (2, 4) and scores["noun"].shape == (2, 6)
    torch.testing.assert_close(scores["verb"].sum(dim=1), torch.ones(2))
    torch.testing.assert_close(losses["noun"], F.nll_loss(scores["noun"].log(), batch.labels["noun"]))


def test_multilabel_clips() -> None:
    model = build("clip", multilabel=True).eval()
    batch = dataclasses.replace(tiny_batch(boxes=0), labels={"action": torch.tensor([[1.0, 0, 1], [0, 0, 0]])})
    scores = model.predict(batch)
    torch.testing.assert_close(model(batch)["action"], F.binary_cross_entropy(scores, batch.labels["action"]))


def test_larger_frames_are_scored_in_windows() -> None:
    """Trained at 32 x 32 (one cell), tested at 64 x 96: the mean of 2 x 3 windows' softmax."""
    model = build("clip").eval()
    batch = tiny_batch(boxes=0)
    large = dataclasses.replace(batch, frames=torch.randint(0, 256, (2, 3, 4, 64, 96), dtype=torch.uint8))
    features = model.backbone(large.frames, model.drop_pathway(large.audio, large.has_audio))  # type: ignore[misc]
    logits = model.head(features, 2)["action"]
    assert logits.shape == (2, 6, 3)
    torch.testing.assert_close(model.predict(large), logits.softmax(dim=2).mean(dim=1))


def test_audio_only_is_never_dropped_and_ignores_the_frames() -> None:
    model = build(audio="only", drop_pathway_rate=0.9)
    batch = tiny_batch((True, True, False))
    for _ in range(8):
        total(model(batch)).backward()
    assert trained(model) == set(dict(model.named_parameters()))
    model.eval()
    black = dataclasses.replace(batch, frames=torch.zeros_like(batch.frames))
    scores = model.predict(batch)
    torch.testing.assert_close(model.predict(black), scores)
    torch.testing.assert_close(scores[0], scores[1])
    assert not torch.allclose(scores[0], scores[2])


@pytest.mark.parametrize("fusion", ["a_to_fs", "a_to_f_to_s", "nonlocal"])
@pytest.mark.parametrize("stages", [("pool1", "res2", "res3", "res4"), ("res3",), ()])
def test_every_fusion_at_any_stages(fusion: str, stages: tuple[str, ...]) -> None:
    model = build(fusion=fusion, fusion_stages=stages, fast_to_slow_stages=stages, avs_stages=("res2", "pool5"))
    total(model(tiny_batch((True, False), paired=True))).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    silent = tiny_batch((False, False))
    audible = tiny_batch((True, True))
    model.eval()
    assert not torch.allclose(model.predict(audible), model.predict(silent))


def test_weights_and_drops_repeat_with_the_seed() -> None:
    def run() -> list[float]:
        torch.manual_seed(5)
        model = build_model(tiny_config(drop_pathway_rate=0.5, dropout=0.5), num_classes=3, head="roi")
        return [model(tiny_batch(seed=i))["action"].item() for i in range(6)]

    assert run() == run()


def test_detections_are_split_by_clip() -> None:
    model, batch = build().eval(), tiny_batch((True, True), boxes=3)
    first, second = detect(model, batch, torch.device("cpu"))
    scores = model.predict(batch)
    assert torch.equal(first.scores, scores[:3]) and torch.equal(second.scores, scores[3:])
    assert (first.video, second.video) == ("clip0", "clip1")
