"""Scores of whole clips as a table: a row a clip, a column a class, named `set:class`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.data.keyframes import ClassNames
from avdet.engine.metrics import Scores

__all__ = ["read_predictions", "write_predictions"]


def write_predictions(
    path: Path, ids: Sequence[str], scores: Mapping[str, Scores], classes: Mapping[str, ClassNames]
) -> None:
    """With nine digits: more than scores of 32 bits have."""
    table = pd.concat(
        [pd.DataFrame(scores[name], columns=_columns(name, names)) for name, names in classes.items()], axis=1
    )
    table.insert(0, "id", list(ids))
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.9g")


def read_predictions(path: Path, classes: Mapping[str, ClassNames]) -> tuple[list[str], dict[str, Scores]]:
    """The ids and (N, C) scores by class set. Raises ValueError where the columns are not those of the classes."""
    table = pd.read_csv(path, dtype={"id": str})
    wanted = ["id", *(column for name, names in classes.items() for column in _columns(name, names))]
    if list(table.columns) != wanted:
        missing = [column for column in wanted if column not in table] or ["their order"]
        raise ValueError(
            f"{path} has {len(table.columns)} columns and the recipe's classes make {len(wanted)}; it lacks "
            f"{missing[0]!r}: give the recipe that it was written with"
        )
    scores = {name: table[_columns(name, names)].to_numpy(np.float64) for name, names in classes.items()}
    return table["id"].tolist(), scores


def _columns(name: str, classes: ClassNames) -> list[str]:
    return [f"{name}:{class_name}" for class_name in classes.names]
