from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from avdet.checkpoints.checkpoint_io import save_checkpoint
from avdet.checkpoints.weights import LoadReport
from avdet.engine.load_checkpoint import load_pretrained
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from tests.checkpoints.reference_names import slowfast
from tests.models.tiny import shake, tiny_config

NAMES = {0: "verb: take", 1: "verb: put", 2: "noun: tap", 3: "noun: pan"}


def make_model(seed: int, num_classes: dict[str, int] | None = None) -> ActionModel:
    torch.manual_seed(seed)
    model = build_model(tiny_config(audio=False), num_classes=num_classes or {"verb": 2, "noun": 2}, head="clip")
    shake(model, seed)
    return model


def load(
    new: ActionModel,
    old: ActionModel,
    path: Path,
    old_names: Mapping[int, str],
    names: Mapping[int, str],
    **settings: object,
) -> LoadReport:
    """Saves `old`, with these settings of section model, and loads it into `new`."""
    save_checkpoint(path, model_state=old.state_dict(), config={"model": settings}, class_names=old_names)
    return load_pretrained(new, path, tiny_config(audio=False), names)


def is_loaded(new: ActionModel, old: ActionModel, name: str) -> bool:
    return torch.equal(new.state_dict()[name], old.state_dict()[name])


def test_heads_of_several_sets_load_if_their_names_are_equal(tmp_path: Path) -> None:
    old = make_model(0)
    for names, equal in ((NAMES, True), ({**NAMES, 1: "verb: wash"}, False)):
        new = make_model(1)
        report = load(new, old, tmp_path / "old.pt", NAMES, names)
        assert is_loaded(new, old, "head.classifier.linear.verb.weight") is equal
        assert is_loaded(new, old, "backbone.slow.conv1.conv.weight")
        assert bool(report.new) is not equal


def test_from_kinetics_to_verbs_and_nouns(tmp_path: Path) -> None:
    old, new = make_model(0, {"action": 5}), make_model(1)
    report = load(new, old, tmp_path / "old.pt", {i: f"class {i}" for i in range(5)}, NAMES)
    assert is_loaded(new, old, "backbone.slow.res2.block0.branch.a.conv.weight")
    assert {name.split(".")[3] for name in report.new} == {"verb", "noun"}


def test_from_kinetics_to_another_number_of_classes(tmp_path: Path) -> None:
    old, new = make_model(0, {"action": 5}), make_model(1, {"action": 3})
    names = {i: f"class {i}" for i in range(5)}
    load(new, old, tmp_path / "old.pt", names, {0: "class 4", 1: "class 1", 2: "class 0"})
    weight = "head.classifier.linear.action.weight"
    assert torch.equal(new.state_dict()[weight], old.state_dict()[weight][[4, 1, 0]])


def test_settings_that_differ_are_noted(tmp_path: Path) -> None:
    old, new = make_model(0, {"action": 5}), make_model(1, {"action": 5})
    names = {i: f"class {i}" for i in range(5)}
    report = load(new, old, tmp_path / "old.pt", names, names, channel_order="bgr", nonlocal_pool=[1, 2, 2])
    assert report.notes == ("The checkpoint has model.channel_order bgr, this model has rgb.",)


def test_weights_of_another_code_base(tmp_path: Path) -> None:
    """A raw state dict of PySlowFast; its head of three classes with other names starts anew."""
    torch.save(slowfast(), tmp_path / "raw.pyth")
    settings = tiny_config(audio=False, fast_to_slow_stages=("pool1", "res2", "res3", "res4"))
    model = build_model(settings, num_classes=3, head="roi")
    report = load_pretrained(model, tmp_path / "raw.pyth", settings, {1: "stand", 2: "sit", 3: "walk"})
    assert {name.split(".")[0] for name in report.new} == {"head"}
    stem = model.state_dict()["backbone.slow.conv1.conv.weight"]
    assert torch.equal(stem, slowfast()["s1.pathway0_stem.conv.weight"])
