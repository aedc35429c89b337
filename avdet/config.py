"""YAML files with `_base_` and overrides as `section.key=value` become one checked Config."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from avdet.datasets.data_settings import KINDS, Section
from avdet.settings import Config


class ConfigError(ValueError):
    """A setting that cannot be used: which one, the rule, the next step."""


def load_config(path: Path, *, overlays: tuple[Path, ...] = (), overrides: tuple[str, ...] = ()) -> Config:
    """The recipe at `path`, then the overlays, then `section.key=value`: the later wins.

    Raises ConfigError with one sentence for an unknown key, a wrong type or a combination that cannot be.
    """
    settings = _read_yaml(path)
    settings.setdefault("name", path.stem)
    for overlay in overlays:
        settings = _merge(settings, _read_yaml(overlay))
    for override in overrides:
        settings = _merge(settings, _parse_override(override))
    return parse_config(settings)


def parse_config(settings: dict[str, Any]) -> Config:
    """The settings as they stand in a resolved config.yaml or in a checkpoint."""
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(_sentence(error)) from None


class _UniqueKeys(yaml.SafeLoader):
    """A key that stands there twice is a mistake: the first one would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key} is set twice in one section, at and before line {node.end_mark.line + 1}")
        return dict(super().construct_mapping(node, deep))


def _read_yaml(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path.resolve() in above:
        names = " -> ".join(each.name for each in (*above, path))
        raise ConfigError(f"{path.resolve()} is its own _base_ ({names}); remove one of them")
    try:
        settings = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys) or {}
    except FileNotFoundError:
        raise ConfigError(f"No config at {path}; the shipped recipes lie under configs/") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ConfigError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{path} holds {type(settings).__name__}, not sections with settings")
    base = settings.pop("_base_", None)
    if base is None:
        return settings
    return _merge(_read_yaml(path.parent / str(base), (*above, path.resolve())), settings)


def _merge(base: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in new.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _parse_override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"{text!r} is no setting; write section.key=value, for example train.epochs=5")
    try:
        parsed: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"the value of {text!r} is not readable YAML; quote it, for example {key}='text'") from None
    for part in reversed(key.split(".")):
        parsed = {part: parsed}
    return parsed


def _sentence(error: ValidationError) -> str:
    """The first thing that pydantic found, in one line."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    kind = where.pop(1) if where[:1] == ["data"] and len(where) > 1 else "ava"
    key = ".".join(where)
    if first["type"] == "extra_forbidden":
        known = _known_keys(where[:-1], kind)
        close = difflib.get_close_matches(key, known, n=1) or difflib.get_close_matches(key, _all_keys(kind), n=1)
        return f"unknown key {key}; " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}")
    if first["type"] == "union_tag_invalid":
        return f"{key}.kind: {first['ctx']['tag']!r} is not usable; known are {', '.join(KINDS)}"
    message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list, as in [a,b]")
    if len(where) == 3 and not where[-1].isdecimal():  # a setting that may be of several types, and the first of these
        key = ".".join(where[:-1])
        alike = [other["msg"] for other in error.errors() if other["loc"][:-1] == first["loc"][:-1]]
        message = f"Input should be {' or '.join(said.removeprefix('Input should be ') for said in alike)}"
    if first["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key}: {first['input']!r} is not usable ({message[0].lower()}{message[1:]})"


def _known_keys(section: list[str], kind: str) -> list[str]:
    return [key for key in _all_keys(kind) if key.split(".")[:-1] == section]


def _all_keys(kind: str) -> list[str]:
    """As they are written in a recipe for that kind of data."""
    keys: list[str] = []
    for name, field in Config.model_fields.items():
        keys.append(name)
        section = KINDS[kind] if name == "data" else field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            keys += [f"{name}.{inner}" for inner in section.model_fields]
    return keys
