"""Checks of a data set before training. Each check yields findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Finding", "Level", "counted", "listed"]

Level = Literal["error", "warning", "fact"]
MAX_EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """One result of a check. An `error` prevents training, a `warning` harms it, a `fact` is as expected.

    about: the file, split or subject that was checked. message: the value, the rule and the next step.
    """

    level: Level
    about: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """Returns the fields by name."""
        return asdict(self)


def counted(count: int, singular: str) -> str:
    """Returns "1 video", "2,000 videos", "3 classes"."""
    plural = singular + ("es" if singular.endswith(("s", "x")) else "s")
    return f"{count:,} {singular if count == 1 else plural}"


def listed(items: Sequence[str], singular: str) -> str:
    """Returns "2 videos: a, b", or the first three and the number of the others."""
    more = f", and {len(items) - MAX_EXAMPLES:,} more" if len(items) > MAX_EXAMPLES else ""
    return f"{counted(len(items), singular)}: {', '.join(items[:MAX_EXAMPLES])}{more}"
