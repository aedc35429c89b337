"""What an attribute of a box is: the identity of a person, an action, or neither. All importers use this one rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["LABEL", "Choice", "Role", "action_values", "attribute_roles", "described_roles", "is_identity_name"]

Role: TypeAlias = Literal["actions", "identity", "numbers", "notes", "state of the box", "another", "not named"]
LABEL = "label"  # how --actions and reports name the class that the tool gives to a box
PERSON_WORDS = {
    "person", "persons", "people", "subject", "animal", "individual", "identity", "player", "actor",
}  # fmt: skip
ID_WORDS = {"track", "id", "ids", "trackid", "personid", "instance"}
ACTION_WORDS = {
    "action", "actions", "activity", "activities", "behavior", "behaviors", "behaviour", "behaviours", "pose",
    "posture", "doing", "event", "interaction", "movement",
}  # fmt: skip
NOTE_WORDS = {"note", "notes", "comment", "comments", "remark", "remarks", "description", "desc", "memo"}
STATE_NAMES = {
    "occluded", "outside", "keyframe", "rotation", "truncated", "difficult", "iscrowd", "crowd", "visibility", "score",
    "confidence", "source", "z_order",
}  # fmt: skip
CHECKBOX = {"true", "false"}
UNSET = {"", "false", "__undefined__", "_default"}  # what tools write where nothing was selected
NO_ACTION = {"none", "undefined", "null", "nan", "n/a", "na", "no action", "no_action", "nothing", "-"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
NUMBERED_NAME = re.compile(r"\D*\d+")
SEPARATORS = re.compile(r"[,;|\n](?![^(]*\))")  # not in parentheses: AVA has "talk to (e.g., self, a person, a group)"


@dataclass(frozen=True)
class Choice:
    """The options --actions, --identity and --ignore: names of attributes and values, compared without case.

    `ignore` holds values that are no action, or attributes that are not read.
    """

    actions: tuple[str, ...] = ()
    identity: str = ""
    ignore: tuple[str, ...] = ("other", "unknown")

    def names_action(self, name: str) -> bool:
        return name.casefold() in map(str.casefold, self.actions)

    def ignores(self, text: str) -> bool:
        return text.casefold() in map(str.casefold, self.ignore)


def words_of(name: str) -> set[str]:
    """The words of an attribute's name: "personId" and "Person ID" have the words person and id."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {word.casefold() for word in re.split(r"[\W_\d]+", spaced) if word}


def is_identity_name(name: str) -> bool:
    """Whether the name means a person or animal, and not what it does ("animal behaviour")."""
    words = words_of(name)
    return bool(words & (PERSON_WORDS | ID_WORDS)) and not words & ACTION_WORDS


def attribute_roles(
    values: Mapping[str, Collection[str]], options: Mapping[str, Collection[str]], choice: Choice
) -> dict[str, Role]:
    """Returns the role of each attribute. `values` are all its values, `options` those that its definition allows.

    Only one attribute is the identity: that of --identity, or the one that names persons rather than tracks.
    """
    roles = {name: _role(name, set(seen) - {""}, set(options.get(name, ())), choice) for name, seen in values.items()}
    persons = sorted((name for name, role in roles.items() if role == "identity"), key=_identity_rank)
    return roles | dict.fromkeys(persons[1:], "another")


def _role(name: str, values: set[str], options: set[str], choice: Choice) -> Role:
    if choice.names_action(name):
        return "actions"
    if name.casefold() == choice.identity.casefold():
        return "identity"
    if choice.ignores(name):
        return "not named"
    used, has_options = values | options, bool(options) or (bool(values) and values <= CHECKBOX)
    if is_identity_name(name) and (not has_options or _are_ids(options)):
        return "another" if choice.identity else "identity"
    if name.casefold() in STATE_NAMES:
        return "state of the box"
    if used and all(map(NUMBER.fullmatch, used)):
        return "numbers"
    if words_of(name) & NOTE_WORDS and not has_options:
        return "notes"
    return "not named" if choice.actions else "actions"


def _are_ids(options: set[str]) -> bool:
    """Options are ids only if all are numbered, such as P1: otherwise a list of choices is a list of actions."""
    return bool(options) and all(map(NUMBERED_NAME.fullmatch, options))


def _identity_rank(name: str) -> tuple[bool, str]:
    return not words_of(name) & PERSON_WORDS, name


def action_values(
    name: str, values: Iterable[str], options: Collection[str], choice: Choice, omitted: Counter[str]
) -> list[str]:
    """Returns the actions that the values of one attribute name; a checked checkbox is an action by its own name.

    A value that is no option is split at commas, semicolons and bars. Values such as "none" are omitted and counted.
    """
    actions = []
    for value in values:
        parts = [value] if value in options else SEPARATORS.split(value)
        for part in map(str.strip, parts):
            text = part.casefold()
            if text in NO_ACTION or (text and choice.ignores(part)):
                omitted[f"values {part!r} of {name}"] += 1
            elif text not in UNSET:
                actions.append(name if text == "true" else part)
    return actions


def described_roles(
    roles: Mapping[str, Role], counts: Mapping[str, int], *, has_label: bool, unread_labels: Sequence[str]
) -> str:
    """The sentence that reports what each attribute was taken for. `counts` are the numbers of values."""
    actions = [name for name, role in roles.items() if role == "actions"] + [LABEL] * has_label
    persons = [name for name, role in roles.items() if role == "identity"]
    reasons = {"another": "another attribute is the identity", "not named": "left out by --actions or --ignore"}
    unread = [
        f"{name} ({reasons.get(role, role)}; {counts[name]:,} values)"
        for name, role in roles.items()
        if role not in {"actions", "identity"}
    ]
    unread += [f"{LABEL}s {', '.join(unread_labels)}"] if unread_labels else []
    doubtful = [name for name in actions if is_identity_name(name)]
    parts = {
        "actions from": actions,
        "identity from": persons,
        "not read:": unread,
        "options, so no identity without --identity:": doubtful,
    }
    return "; ".join(f"{start} {', '.join(names)}" for start, names in parts.items() if names)
