"""Parses YAML that may come from anywhere: bounded in size, depth and in what its aliases expand to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

__all__ = ["parse_yaml", "read_yaml_text"]

MAX_BYTES, MAX_DEPTH, MAX_NODES = 2**18, 50, 20_000


def read_yaml_text(path: Path) -> str:
    """The text of a regular file. Raises YAMLError for anything else or over 256 KB."""
    if path.exists() and not path.is_file():
        raise yaml.YAMLError("it is no regular file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise yaml.YAMLError(f"it has over {MAX_BYTES:,} bytes, more than a config")
    return data.decode("utf-8")


def parse_yaml(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:  # noqa: ANN401  (any content)
    """The content. Every fault of the text raises YAMLError."""
    try:
        _check_nodes(text)
        return yaml.load(text, loader)
    except yaml.YAMLError:
        raise
    except Exception as error:  # PyYAML's constructors let any exception pass, such as for the date 2020-99-99
        raise yaml.YAMLError(str(error) or type(error).__name__) from None


def _check_nodes(text: str) -> None:
    """Raises YAMLError for over MAX_DEPTH levels or MAX_NODES values, those that aliases repeat included."""
    sizes: dict[str | None, int] = {}  # number of values by anchor
    levels: list[tuple[str | None, int]] = [(None, 0)]  # anchor, and number of values so far
    for event in yaml.parse(text, yaml.SafeLoader):
        match event:
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                levels.append((event.anchor, 1))
                anchor, size = None, 0
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                anchor, size = levels.pop()
            case yaml.ScalarEvent():
                anchor, size = event.anchor, 1
            case yaml.AliasEvent():
                if event.anchor not in sizes:
                    raise yaml.YAMLError(f"the alias *{event.anchor} has no value before it")
                anchor, size = None, sizes[event.anchor]
            case _:
                continue
        sizes[anchor] = size
        levels[-1] = (levels[-1][0], levels[-1][1] + size)
        if len(levels) > MAX_DEPTH or levels[-1][1] > MAX_NODES:
            raise yaml.YAMLError(f"it has over {MAX_DEPTH} levels or {MAX_NODES:,} values")
