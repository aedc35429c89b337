from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from avdet.checkpoints.weights import choose_classes, load_state
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_batch, tiny_config


def build(classes: int = 3, **changes: Any) -> ActionModel:  # noqa: ANN401  (any setting)
    model = build_model(tiny_config(**changes), num_classes=classes, head="roi")
    shake(model)
    return model.eval()


def test_a_head_of_another_size_starts_anew() -> None:
    model, trained = build(6), build(80)
    before = model.state_dict()["head.classifier.linear.action.weight"].clone()
    report = load_state(model, trained.state_dict())
    total = len(model.state_dict())
    assert report.notes == (
        f"Checkpoint has 80 classes, the data has 6: head re-initialised, {total - 2} of {total} tensors loaded.",
    )
    assert report.new == ("head.classifier.linear.action.weight", "head.classifier.linear.action.bias") == report.unused
    assert torch.equal(model.state_dict()["head.classifier.linear.action.weight"], before)


def test_an_audiovisual_checkpoint_runs_on_pictures_alone() -> None:
    hearing, deaf = build(), build(audio=False)
    report = load_state(deaf, hearing.state_dict())
    assert "The checkpoint hears and this model does not: it runs on pictures alone." in report.notes
    assert not report.new
    batch = tiny_batch()
    silent = dataclasses.replace(batch, has_audio=torch.tensor([False, False]))
    torch.testing.assert_close(deaf.predict(batch), hearing.predict(silent))


def test_a_visual_checkpoint_starts_an_audiovisual_model() -> None:
    deaf, hearing = build(audio=False), build()
    report = load_state(hearing, deaf.state_dict())
    assert all(".audio." in name or "to_time" in name for name in report.new)
    assert report.sliced == ("head.classifier.linear.action.weight",)
    assert not report.unused


def test_a_model_that_only_hears_has_the_classifier_of_what_is_heard() -> None:
    both, ears = build(), build(audio="only")
    load_state(ears, both.state_dict())
    name = "head.classifier.linear.action.weight"
    heard = ears.state_dict()[name]
    assert torch.equal(heard, both.state_dict()[name][:, -heard.shape[1] :])
    other = build()
    seen = other.state_dict()[name][:, : -heard.shape[1]].clone()
    load_state(other, ears.state_dict())
    assert torch.equal(other.state_dict()[name], torch.cat([seen, heard], dim=1))


def test_laterals_that_only_the_checkpoint_has_are_sliced_off() -> None:
    everywhere = build(audio=False, fast_to_slow_stages=("pool1", "res2", "res3", "res4"))
    report = load_state(build(), everywhere.state_dict())
    assert (
        "backbone.slow.res2.block0.shortcut.conv.weight: 8 of the 10 inputs of the checkpoint's fill as many of the "
        "model's 8." in report.notes
    )
    assert {name.split(".")[2] for name in report.unused} == {"pool1", "res2"}


def test_the_report_is_a_table() -> None:
    text = str(load_state(build(6), build(80).state_dict()))
    assert "backbone.slow.res2" in text and text.endswith("tensors loaded.")
    head = next(line for line in text.splitlines() if line.strip().startswith("head"))
    assert head.split() == ["head", "0", "0", "2", "2"]


@pytest.mark.parametrize("changes", [{"width": 16}, {"stage_blocks": (3, 4, 6, 3)}, {"res4_temporal_blocks": 0}])
def test_another_architecture_is_refused_untouched(changes: dict[str, Any]) -> None:
    model = build(**changes)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match="The checkpoint is of another architecture") as error:
        load_state(model, build().state_dict())
    assert "\n" not in str(error.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_nothing_that_fits_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"none of the model's pathways \(it has conv1\.weight, \.\.\.\); give last\.pt"
    ):
        load_state(build(), {"conv1.weight": torch.zeros(1)})


def test_classes_are_told_apart_by_name() -> None:
    state = {"head.w": torch.tensor([[1.0], [2.0], [3.0]]), "trunk.w": torch.zeros(3, 1)}
    have = {1: "stand", 4: "sit", 9: "read"}
    assert choose_classes(state, have, {1: "read", 2: "stand"})["head.w"].tolist() == [[3], [1]]
    assert choose_classes(state, have, have)["head.w"].tolist() == [[1], [2], [3]]
    assert "head.w" not in choose_classes(state, have, {1: "stand", 4: "sit", 9: "write"})
    assert choose_classes(state, have, {1: "write"})["head.w"].shape == (3, 1)
    assert choose_classes(state, have, {1: "read"})["trunk.w"].shape == (3, 1)


def test_a_head_for_other_classes_of_the_same_number_starts_anew() -> None:
    trained = build(3).state_dict()
    others = choose_classes(trained, {1: "a", 2: "b", 3: "c"}, {1: "a", 2: "b", 3: "d"})
    report = load_state(build(3), others)
    assert report.notes == ("The checkpoint's classes are not the data's: head re-initialised.",)
    assert len(report.new) == 2
