"""Rows of lists of clips: a video, its labels and perhaps seconds; and how one text holds several labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avdet.datasets.class_names import ClassNames, normalised_name, unknown_classes
from avdet.datasets.video_files import strip_video_suffix

__all__ = ["ClipRow", "is_class", "label_indices", "split_labels", "video_of_cell"]


@dataclass(frozen=True)
class ClipRow:
    """One line of a list. labels: names or ids. span_s: start and end in seconds; None: the whole video."""

    line: int
    video: str
    labels: Sequence[str]
    span_s: tuple[float, float] | None = None


def video_of_cell(cell: str) -> str:
    """A video's name or path without suffix and quotation marks."""
    return strip_video_suffix(cell.strip().strip('"').strip())


def is_class(text: str, classes: ClassNames) -> bool:
    """Whether the text is the name of a class in any spelling, or the id of one."""
    return normalised_name(text) in classes.index_of or (text.isdecimal() and int(text) in classes.ids)


def split_labels(text: str, classes: ClassNames) -> list[str]:
    """The labels in a text: what stands between | ; , or spaces; class names keep all their words."""
    text = text.strip().strip('"').strip()
    if is_class(text, classes):
        return [text]
    parts = [part.strip(" \"'[]()") for part in re.split(r"[|;,\t]", text)]
    parts = [part for part in parts if part]
    return [label for part in parts for label in _spaced_labels(part.split(), classes)]


def _spaced_labels(words: Sequence[str], classes: ClassNames) -> list[str]:
    """The longest class name at each place, else the single word."""
    found: list[str] = []
    while words:
        longest = next((k for k in range(len(words), 1, -1) if is_class(" ".join(words[:k]), classes)), 1)
        found.append(" ".join(words[:longest]))
        words = words[longest:]
    return found


def label_indices(row: ClipRow, classes: ClassNames, path: Path) -> list[int]:
    """Output indices of the row's labels, each once. Raises ValueError for an unknown class and for none."""
    found: dict[int, None] = {}
    for label in row.labels:
        if (index := classes.index_of.get(normalised_name(label))) is not None:
            found[index] = None
        elif not re.fullmatch(r"-?\d{1,18}", label):
            raise unknown_classes([" ".join(row.labels)], classes, path)
        elif int(label) in classes.ids:
            found[classes.ids.index(int(label))] = None
        else:
            raise ValueError(
                f"{path}, line {row.line}: class {label} is not in {classes.ids[0]}..{classes.ids[-1]}; give the class "
                "list that belongs to it with data.label_map"
            )
    if not found:
        raise ValueError(f"{path}, line {row.line}: {row.video!r} has no label; write one, or remove the line")
    return list(found)
