from __future__ import annotations

import torch

from avdet.checkpoints.checkpoint_io import Checkpoint
from avdet.engine.load_checkpoint import load_pretrained
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from tests.models.tiny import shake, tiny_config

NAMES = {0: "verb: take", 1: "verb: put", 2: "noun: tap", 3: "noun: pan"}


def make_model(seed: int, num_classes: dict[str, int] | None = None) -> ActionModel:
    torch.manual_seed(seed)
    model = build_model(tiny_config(audio=False), num_classes=num_classes or {"verb": 2, "noun": 2}, head="clip")
    shake(model, seed)
    return model


def is_loaded(new: ActionModel, old: ActionModel, name: str) -> bool:
    return torch.equal(new.state_dict()[name], old.state_dict()[name])


def test_heads_of_several_sets_load_if_their_names_are_equal() -> None:
    old = make_model(0)
    for names, equal in ((NAMES, True), ({**NAMES, 1: "verb: wash"}, False)):
        new = make_model(1)
        report = load_pretrained(new, Checkpoint(old.state_dict(), {}, NAMES, None), names)
        assert is_loaded(new, old, "head.classifier.linear.verb.weight") is equal
        assert is_loaded(new, old, "backbone.slow.conv1.conv.weight")
        assert bool(report.new) is not equal


def test_from_kinetics_to_verbs_and_nouns() -> None:
    old, new = make_model(0, {"action": 5}), make_model(1)
    report = load_pretrained(new, Checkpoint(old.state_dict(), {}, {i: f"class {i}" for i in range(5)}, None), NAMES)
    assert is_loaded(new, old, "backbone.slow.res2.block0.branch.a.conv.weight")
    assert {name.split(".")[3] for name in report.new} == {"verb", "noun"}


def test_from_kinetics_to_another_number_of_classes() -> None:
    old, new = make_model(0, {"action": 5}), make_model(1, {"action": 3})
    names = {i: f"class {i}" for i in range(5)}
    load_pretrained(new, Checkpoint(old.state_dict(), {}, names, None), {0: "class 4", 1: "class 1", 2: "class 0"})
    weight = "head.classifier.linear.action.weight"
    assert torch.equal(new.state_dict()[weight], old.state_dict()[weight][[4, 1, 0]])
