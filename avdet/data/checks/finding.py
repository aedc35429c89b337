"""One answer of a check, and how examples are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Finding", "Level", "named"]

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


def named(items: Sequence[str], singular: str) -> str:
    """ "2 movies: a, b" with a few examples; English plurals in -s and -ses."""
    plural = singular + ("es" if singular.endswith("s") else "s")
    more = f", and {len(items) - EXAMPLES:,} more" if len(items) > EXAMPLES else ""
    return f"{len(items):,} {singular if len(items) == 1 else plural}: {', '.join(items[:EXAMPLES])}{more}"
