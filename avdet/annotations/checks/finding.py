"""One answer of a check, and how examples are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Finding", "Level", "counted", "named"]

Level = Literal["error", "warning", "fact"]
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """`error` stops training, `warning` costs something, `fact` is as it should be."""

    level: Level
    about: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def counted(count: int, singular: str) -> str:
    """1 movie, 2,000 movies, 3 classes."""
    plural = singular + ("es" if singular.endswith(("s", "x")) else "s")
    return f"{count:,} {singular if count == 1 else plural}"


def named(items: Sequence[str], singular: str) -> str:
    """2 movies: a, b; of many the first few."""
    more = f", and {len(items) - EXAMPLES:,} more" if len(items) > EXAMPLES else ""
    return f"{counted(len(items), singular)}: {', '.join(items[:EXAMPLES])}{more}"
