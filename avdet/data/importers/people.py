"""Numbers for people, whatever a tool calls them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from ava_eval.csv_layout import LARGEST

__all__ = ["person_ids"]

NOBODY = -1
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
WITH_NUMBER = re.compile(r"\D*(\d+)\D*")


def person_ids(names: pd.Series, source: Path) -> pd.Series:
    """The number in 3, 3.0 or P3; -1 for an empty name. Where names have none or share one: their order.

    Raises ValueError for numbers that are no id, such as 2.7.
    """
    names = names.astype(str).str.strip().mask(names.isna(), "")
    plain = {name: _plain(name, source) for name in names.unique()}
    people = sorted(set(plain.values()) - {""})
    found = [WITH_NUMBER.fullmatch(person) for person in people]
    ids = {person: int(match[1]) for person, match in zip(people, found, strict=True) if match}
    if len(set(ids.values())) < len(people) or max(ids.values(), default=0) > LARGEST["person_id"]:
        ids = {person: place for place, person in enumerate(people)}
    return names.map({name: ids.get(person, NOBODY) for name, person in plain.items()}).astype(int)


def _plain(name: str, source: Path) -> str:
    """Without a fraction of 0, as tables are exported whose column has empty cells; "" for nobody."""
    if not NUMBER.fullmatch(name):
        return name
    number = float(name)
    if not number.is_integer() or number < NOBODY:
        raise ValueError(f"{source}: a person is {name}; write a whole number from 0 on, a name, or -1 for nobody")
    return "" if number == NOBODY else str(int(number))
