"""Scores of whole clips as a table: a row a clip, a column a class, named `set:class`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.data.build_clips import build_class_sets
from avdet.datasets.data_settings import ClipData, EpicData
from avdet.datasets.keyframes import ClassNames
from avdet.datasets.metrics import Scores
from avdet.datasets.segments import Segments
from avdet.datasets.tables import read_csv

__all__ = ["align", "read_predictions", "read_tables", "write_predictions"]


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


def read_predictions(path: Path, classes: Mapping[str, ClassNames]) -> dict[str, pd.DataFrame]:
    """Scores by class set, rows named by the clips' ids.

    Raises ValueError where the columns are of other classes, or the table is not whole.
    """
    table = read_csv(path, dtype={"id": str})
    columns = {name: _columns(name, names) for name, names in classes.items()}
    wanted = ["id", *(column for own in columns.values() for column in own)]
    if set(table.columns) != set(wanted):
        missing = [column for column in wanted if column not in table]
        fault = f"it lacks {missing[0]!r}" if missing else f"{min(set(table.columns) - set(wanted))!r} is none of them"
        raise ValueError(
            f"{path} has {len(table.columns)} columns and the recipe's classes make {len(wanted)}; {fault}: give the "
            "recipe that it was written with"
        )
    if not len(table):
        raise ValueError(f"{path} holds no prediction; give the table whole")
    twice = table["id"].duplicated()
    if twice.any():
        raise ValueError(f"{path} has {table['id'][twice].iloc[0]} twice; keep one of the two rows")
    scores = table.set_index("id").apply(pd.to_numeric, errors="coerce")
    broken = ~np.isfinite(scores.to_numpy()).all(axis=1)
    if broken.any():
        raise ValueError(
            f"{path} lacks scores of {scores.index[broken][0]} ({broken.sum():,} such rows) or has there what is no "
            "number; give the table whole"
        )
    return {name: scores[own] for name, own in columns.items()}


def read_tables(
    data: ClipData, paths: Sequence[Path]
) -> tuple[ClipData, dict[str, ClassNames], dict[str, pd.DataFrame]]:
    """The tables of a recipe's classes, of which EPIC's verbs and nouns may lie in two files; and what they predict."""
    if data.task != "classification":
        raise ValueError(f"data.task is {data.task}, so no class is predicted; give the recipe of the predictions")
    classes: dict[str, ClassNames] = {}
    tables: dict[str, pd.DataFrame] = {}
    for path in paths:
        one = data
        if isinstance(data, EpicData):
            sets = {str(column).partition(":")[0] for column in read_csv(path, nrows=0).columns[1:]}
            one = data.model_copy(update={"predict": tuple(name for name in ("verb", "noun") if name in sets)})
        own = build_class_sets(one)
        if again := own.keys() & classes.keys():
            raise ValueError(
                f"{path} is a second table of {min(again)}; give one, or of EPIC's verbs and nouns one each"
            )
        tables |= read_predictions(path, own)
        classes |= own
    if isinstance(data, EpicData):
        data = data.model_copy(update={"predict": tuple(classes)})
    return data, classes, tables


def align(annotated: Segments, tables: Mapping[str, pd.DataFrame]) -> tuple[Segments, dict[str, Scores]]:
    """The annotated clips that every table has, and their scores.

    Raises ValueError for clips that nobody annotated, and where the tables have none in common.
    """
    ids = pd.Index(annotated.ids)
    for table in tables.values():
        foreign = table.index.difference(ids)
        if len(foreign):
            raise ValueError(
                f"{len(foreign):,} of the {len(table):,} predictions are of clips that the recipe's val split does not "
                f"list, such as {foreign[0]}; give the recipe that they were made with"
            )
    here = np.all([ids.isin(table.index) for table in tables.values()], axis=0)
    if not here.any():
        raise ValueError("the tables of predictions have no clip in common; give those of one split")
    segments = annotated.select(here)
    return segments, {name: table.loc[pd.Index(segments.ids)].to_numpy(np.float64) for name, table in tables.items()}


def _columns(name: str, classes: ClassNames) -> list[str]:
    return [f"{name}:{class_name}" for class_name in classes.names]
