from collections import Counter
from collections.abc import Sequence

import pytest

from avdet.annotations.importers.attributes import Choice, action_values, attribute_roles, is_identity_name

PEN = ["graze", "rest"]


@pytest.mark.parametrize(
    ("name", "values", "options", "role"),
    [
        ("person_id", ["Bella", "Heidi"], [], "identity"),
        ("trackID", ["3", "4"], [], "identity"),
        ("Subject", ["mouse a"], [], "identity"),
        ("animal", ["Bella"], [], "identity"),
        ("animal", ["graze"], PEN, "actions"),
        ("person", ["P2"], ["P1", "P2"], "identity"),
        ("animal behaviour", ["graze"], [], "actions"),
        ("person visible", ["true", "false"], [], "actions"),
        ("behavior", ["graze"], PEN, "actions"),
        ("video", ["graze"], [], "actions"),
        ("hidden", ["true"], [], "actions"),
        ("what it does", ["graze"], [], "actions"),
        ("weight", ["12.5", "13", ""], [], "numbers"),
        ("speed", ["1"], ["1", "2"], "numbers"),
        ("Notes", ["ask Ann"], [], "notes"),
        ("take notes", ["false"], [], "actions"),
        ("occluded", ["true"], [], "state of the box"),
        ("Rotation", ["0.0"], [], "state of the box"),
    ],
)
def test_one_rule_says_what_an_attribute_is(name: str, values: list[str], options: list[str], role: str) -> None:
    assert attribute_roles({name: values}, {name: options}, Choice()) == {name: role}


def test_persons_come_before_tracks_and_only_one_is_the_identity() -> None:
    values = {"track": ["1"], "person": ["Ann"], "id": ["7"]}
    assert attribute_roles(values, {}, Choice()) == {"track": "another", "person": "identity", "id": "another"}


def test_the_options_overrule_the_rule() -> None:
    values = {"animal": ["goat"], "cow": ["Bella"], "mood": ["calm"], "count": ["3"]}
    choice = Choice(actions=("Animal",), identity="COW", ignore=())
    roles = {"animal": "actions", "cow": "identity", "mood": "not named", "count": "numbers"}
    assert attribute_roles(values, {}, choice) == roles
    assert attribute_roles({"mood": ["calm"]}, {}, Choice(ignore=("mood",))) == {"mood": "not named"}


@pytest.mark.parametrize(
    ("values", "options", "actions"),
    [
        (["graze,walk"], [], ["graze", "walk"]),
        (["graze | walk;rest"], [], ["graze", "walk", "rest"]),
        (["sit, down"], ["sit, down"], ["sit, down"]),
        (["talk to (e.g., self, a person, a group)"], [], ["talk to (e.g., self, a person, a group)"]),
        (["true"], [], ["pose"]),
        (["false", "", "__undefined__"], [], []),
        (["2 hands"], [], ["2 hands"]),
    ],
)
def test_a_value_may_name_several_actions(values: Sequence[str], options: list[str], actions: list[str]) -> None:
    omitted: Counter[str] = Counter()
    assert action_values("pose", values, options, Choice(), omitted) == actions and not omitted


def test_values_that_are_no_action_are_counted_by_name() -> None:
    omitted: Counter[str] = Counter()
    assert action_values("pose", ["None", "other", "sit", "None"], [], Choice(), omitted) == ["sit"]
    assert omitted == {"values 'None' of pose": 2, "values 'other' of pose": 1}
    assert action_values("pose", ["none", "other", "sit"], [], Choice(ignore=("Sit",)), omitted) == ["other"]


def test_words_decide_not_letters() -> None:
    assert not any(map(is_identity_name, ["idle", "width", "tracking", "grid", "impersonate"]))
