"""load_state and select_classes: other heads, modalities and laterals, and what the report says."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from avdet.checkpoints.weights import load_state, select_classes
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_batch, tiny_config


def build(classes: int = 3, **changes: Any) -> ActionModel:  # noqa: ANN401  (any setting)
    model = build_model(tiny_config(**changes), num_classes=classes, head="roi")
    shake(model)
    return model.eval()


def test_head_of_another_size_is_reinitialised() -> None:
    model, trained = build(6), build(80)
    before = model.state_dict()["head.classifier.linear.action.weight"].clone()
    report = load_state(model, trained.state_dict())
    total = len(model.state_dict())
    assert report.notes == (
        "The checkpoint has 80 classes, the data set has 6: head re-initialised, "
        f"{total - 2} of {total} tensors loaded.",
    )
    assert report.new == ("head.classifier.linear.action.weight", "head.classifier.linear.action.bias") == report.unused
    assert torch.equal(model.state_dict()["head.classifier.linear.action.weight"], before)


def test_audiovisual_checkpoint_in_a_video_only_model() -> None:
    audiovisual, video_only = build(), build(audio=False)
    report = load_state(video_only, audiovisual.state_dict())
    assert "The checkpoint has an Audio pathway and this model has none: the model is video only." in report.notes
    assert not report.new
    batch = tiny_batch()
    silent = dataclasses.replace(batch, has_audio=torch.tensor([False, False]))
    torch.testing.assert_close(video_only.predict(batch), audiovisual.predict(silent))


def test_video_only_checkpoint_in_an_audiovisual_model() -> None:
    video_only, audiovisual = build(audio=False), build()
    report = load_state(audiovisual, video_only.state_dict())
    assert all(".audio." in name or "audio_lateral" in name for name in report.new)
    assert report.sliced == ("head.classifier.linear.action.weight",)
    assert not report.unused


def test_audio_only_model_has_the_audio_inputs_of_the_classifier() -> None:
    both, audio_only = build(), build(audio="only")
    load_state(audio_only, both.state_dict())
    name = "head.classifier.linear.action.weight"
    audio_weight = audio_only.state_dict()[name]
    assert torch.equal(audio_weight, both.state_dict()[name][:, -audio_weight.shape[1] :])
    other = build()
    visual_weight = other.state_dict()[name][:, : -audio_weight.shape[1]].clone()
    load_state(other, audio_only.state_dict())
    assert torch.equal(other.state_dict()[name], torch.cat([visual_weight, audio_weight], dim=1))


def test_laterals_only_in_the_checkpoint_are_sliced_off() -> None:
    all_stages = build(audio=False, fast_to_slow_stages=("pool1", "res2", "res3", "res4"))
    report = load_state(build(), all_stages.state_dict())
    assert (
        "backbone.slow.res2.block0.shortcut.conv.weight: 8 of the checkpoint's 10 inputs loaded into the model's 8."
        in report.notes
    )
    assert {name.split(".")[2] for name in report.unused} == {"pool1", "res2"}


def test_report_is_a_table() -> None:
    text = str(load_state(build(6), build(80).state_dict()))
    assert "backbone.slow.res2" in text and text.endswith("tensors loaded.")
    head = next(line for line in text.splitlines() if line.strip().startswith("head"))
    assert head.split() == ["head", "0", "0", "2", "2"]


@pytest.mark.parametrize("changes", [{"width": 16}, {"stage_blocks": (3, 4, 6, 3)}, {"res4_temporal_blocks": 0}])
def test_another_architecture_is_rejected_and_the_model_unchanged(changes: dict[str, Any]) -> None:
    model = build(**changes)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match="The checkpoint is of another architecture") as error:
        load_state(model, build().state_dict())
    assert "\n" not in str(error.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_checkpoint_without_shared_pathways_is_rejected() -> None:
    with pytest.raises(
        ValueError, match=r"has none of the model's pathways \(it has conv1\.weight, \.\.\.\); give last\.pt"
    ):
        load_state(build(), {"conv1.weight": torch.zeros(1)})


def test_classes_are_matched_by_name() -> None:
    state = {"head.w": torch.tensor([[1.0], [2.0], [3.0]]), "backbone.w": torch.zeros(3, 1)}
    source = {1: "stand", 4: "sit", 9: "read"}
    assert select_classes(state, source, {1: "read", 2: "stand"})["head.w"].tolist() == [[3], [1]]
    assert select_classes(state, source, source)["head.w"].tolist() == [[1], [2], [3]]
    assert "head.w" not in select_classes(state, source, {1: "stand", 4: "sit", 9: "write"})
    assert select_classes(state, source, {1: "write"})["head.w"].shape == (3, 1)
    assert select_classes(state, source, {1: "read"})["backbone.w"].shape == (3, 1)


def test_head_with_as_many_other_classes_is_reinitialised() -> None:
    trained = build(3).state_dict()
    others = select_classes(trained, {1: "a", 2: "b", 3: "c"}, {1: "a", 2: "b", 3: "d"})
    report = load_state(build(3), others)
    assert report.notes == ("The checkpoint has other classes than the data set: head re-initialised.",)
    assert len(report.new) == 2
