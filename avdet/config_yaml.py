"""Reads YAML configs with `_base_` and `section.key=value` overrides as nested dictionaries."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from avdet.bounded_yaml import parse_yaml, read_yaml_text

__all__ = ["CONFIGS", "ConfigError", "merge", "parse_override", "read_yaml"]

PACKAGED = Path(__file__).parent / "configs"
CONFIGS = PACKAGED if PACKAGED.is_dir() else Path(__file__).parents[1] / "configs"  # installed, or a clone

MAX_BASES = 20


class ConfigError(ValueError):
    """An invalid setting: its key, the rule and the next step."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that is set twice in one section; YAML would silently drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, count in Counter(keys).items():
            if count > 1:
                raise yaml.YAMLError(f"{key} is set twice in one section, at and before line {node.end_mark.line + 1}")
        return dict(super().construct_mapping(node, deep))


def read_yaml(path: Path, including: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The settings of a file over those of its `_base_`, a path relative to it.

    `configs/ava/avslowfast.yaml` is the shipped config wherever the working directory has no such file.
    """
    shipped = CONFIGS.parent / path
    if not path.exists() and path.parts[:1] == ("configs",) and shipped.is_file():
        path = shipped
    if len(including) > MAX_BASES:
        raise ConfigError(f"{including[0]} has over {MAX_BASES} files above it by _base_; merge some of them")
    if path.resolve() in including:
        names = " -> ".join(each.name for each in (*including, path))
        raise ConfigError(f"{path.resolve()} includes itself by _base_ ({names}); remove one of them")
    try:
        settings = parse_yaml(read_yaml_text(path), _UniqueKeyLoader) or {}
    except FileNotFoundError:
        raise ConfigError(f"No config at {path}; `avdet list_configs` lists the shipped configs") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{path} contains {type(settings).__name__}, not sections with settings")
    base = settings.pop("_base_", None)
    if base is None:
        return settings
    return merge(read_yaml(path.parent / str(base), (*including, path.resolve())), settings)


def merge(base: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """`base` with the settings of `new`, section by section."""
    merged = dict(base)
    for key, value in new.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def parse_override(text: str) -> dict[str, Any]:
    """`train.epochs=5` as {"train": {"epochs": 5}}."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"{text!r} is not a setting; write section.key=value, for example train.epochs=5")
    try:
        parsed = parse_yaml(value)
    except yaml.YAMLError:
        raise ConfigError(f"the value of {text!r} is not readable YAML; quote it, for example {key}='text'") from None
    for part in reversed(key.split(".")):
        parsed = {part: parsed}
    return parsed
