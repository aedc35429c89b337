"""Class names with the benchmark's own ids, and reading lists of names."""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.datasets.tables import read_lines

__all__ = ["ClassNames", "class_indices", "normalised_name", "read_class_list", "unknown_classes"]


@dataclass(frozen=True)
class ClassNames:
    """Classes in the order of the model's outputs; `ids` are the benchmark's own."""

    ids: tuple[int, ...]
    names: tuple[str, ...]

    @classmethod
    def from_label_map(cls, label_map: Mapping[int, str]) -> ClassNames:
        ids = tuple(sorted(label_map))
        return cls(ids, tuple(label_map[i] for i in ids))

    @classmethod
    def numbered(cls, names: Sequence[str]) -> ClassNames:
        """Names with the ids 0, 1, ..."""
        return cls(tuple(range(len(names))), tuple(names))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def label_map(self) -> dict[int, str]:
        return dict(zip(self.ids, self.names, strict=True))

    @functools.cached_property
    def index_of(self) -> dict[str, int]:
        """Output indices by `normalised_name`."""
        return {normalised_name(name): i for i, name in enumerate(self.names)}

    def indices(self, names: Sequence[str], setting: str) -> list[int]:
        """Output indices of `names`. Raises ValueError for an unknown name and suggests the nearest one."""
        for name in names:
            if name not in self.names:
                close = difflib.get_close_matches(name, self.names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(self.names)}"
                raise ValueError(f"{setting} names {name!r}, which is not a class of the label map; {hint}")
        return [self.names.index(name) for name in names]

    def select(self, names: Sequence[str], setting: str) -> ClassNames:
        """The classes `names` alone, in this object's order."""
        kept = sorted(set(self.indices(names, setting)))
        return ClassNames(tuple(self.ids[i] for i in kept), tuple(self.names[i] for i in kept))


def normalised_name(name: str) -> str:
    """One spelling of a class name: lists differ in case, spaces, underscores and punctuation."""
    return re.sub(r"[\s_\-/,.'\"()]+", " ", name).strip().casefold()


def read_class_list(path: Path) -> ClassNames:
    """Classes from a text file: one name per line with the ids 0, 1, .., lines such as `3: jump`, or JSON.

    JSON maps names to ids or ids to names. Ids may begin anywhere; an own list of clips uses the same ones.
    """
    lines = read_lines(path)
    numbered = [re.fullmatch(r"(\d+)\s*[:,\t]\s*(\S.*)", line) for line in lines]
    if lines and lines[0].startswith(("{", "[")):
        label_map = _from_json("\n".join(lines), path)
    elif all(numbered):
        label_map = [(int(match[1]), match[2].strip('"')) for match in numbered if match]
    else:
        label_map = list(enumerate(line.strip('"') for line in lines))
    first: dict[str, str] = {}
    for number, name in label_map:
        if (other := first.get(normalised_name(name))) is not None:
            raise ValueError(f"{path} lists one class twice, as {other!r} and {name!r}; remove one of them")
        if [i for i, _ in label_map].count(number) > 1:
            raise ValueError(f"{path} gives the id {number} to two classes; correct one of them")
        first[normalised_name(name)] = name
    if not label_map:
        raise ValueError(f"{path} lists no class; write one name per line")
    return ClassNames.from_label_map(dict(label_map))


def _from_json(text: str, path: Path) -> list[tuple[int, str]]:
    """(id, name) of {name: id}, {id: name} or [name, ..]; ids may be strings."""
    try:
        content = json.loads(text)
        pairs = list(enumerate(content) if isinstance(content, list) else content.items())
        swapped = all(isinstance(value, int) or _is_id(value) > _is_id(key) for key, value in pairs)
        return [(int(value), str(key)) if swapped else (int(key), str(value)) for key, value in pairs]
    except (ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON of class names and ids ({error}); write one name per line") from None


def _is_id(text: object) -> bool:
    return isinstance(text, str) and text.isdecimal()


def class_indices(names: Sequence[str], classes: ClassNames, path: Path) -> NDArray[np.int64]:
    """(N,) index of each name in any spelling. Raises ValueError if `path` uses a name that is not a class."""
    column = np.array([classes.index_of.get(normalised_name(name), -1) for name in names], dtype=np.int64)
    if (column < 0).any():
        raise unknown_classes([name for name, i in zip(names, column, strict=True) if i < 0], classes, path)
    return column


def unknown_classes(unknown: Sequence[str], classes: ClassNames, path: Path) -> ValueError:
    """The error for rows of `path` whose classes, `unknown`, are not in the list."""
    close = difflib.get_close_matches(unknown[0], classes.names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "add it to the list or give the list that belongs to the file"
    return ValueError(
        f"{path} has {len(set(unknown))} classes that are not in the list of {len(classes)}, in {len(unknown):,} "
        f"rows: {unknown[0]!r}; {hint}"
    )
