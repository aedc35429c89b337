"""Numbers for people, whatever a tool calls them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from ava_eval.csv_format import MAX_VALUES

__all__ = ["person_ids", "plain_names"]

NOBODY = -1
MISSING = {"", "NA", "N/A", "<NA>", "NaN", "nan", "None", "NULL", "null"}  # as tables are exported
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
WITH_NUMBER = re.compile(r"\D*(\d+)\D*")


def plain_names(names: pd.Series, source: Path) -> pd.Series:
    """People as text: 3 for 3.0 too, "" for nobody. Raises ValueError for numbers that are no id, such as 2.7."""
    names = names.astype(str).str.strip().mask(names.isna(), "")
    return names.map({name: _plain(name, source) for name in names.unique()}).astype(str)


def person_ids(names: pd.Series) -> pd.Series:
    """The number in 3 or P3; -1 for nobody. Where plain names have none or share one: their order."""
    people = sorted(set(names) - {""})
    found = [WITH_NUMBER.fullmatch(person) for person in people]
    ids = {person: int(match[1]) for person, match in zip(people, found, strict=True) if match}
    if len(set(ids.values())) < len(people) or max(ids.values(), default=0) > MAX_VALUES["person_id"]:
        ids = {person: place for place, person in enumerate(people)}
    return names.map(ids).fillna(NOBODY).astype(int)


def _plain(name: str, source: Path) -> str:
    """Without a fraction of 0, as tables are exported whose column has empty cells."""
    if name in MISSING:
        return ""
    if not NUMBER.fullmatch(name):
        return name
    number = float(name)
    if not number.is_integer() or number < NOBODY:
        raise ValueError(f"{source}: a person is {name}; write a whole number from 0 on, a name, or -1 for nobody")
    return "" if number == NOBODY else str(int(number))
