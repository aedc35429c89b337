"""Sentences on what an evaluation counted and on what looks wrong."""

from __future__ import annotations

import pandas as pd

from ava_eval.result import Result


def notes(result: Result, ground_truth: pd.DataFrame, excluded: pd.DataFrame | None) -> list[str]:
    """Sentences for a reader who wonders about the number."""
    return []
