"""predictions.csv: scores of segments, one row per segment, one column `set:class` per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avdet.atomic_write import atomic_write
from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationDataset
from avdet.datasets.metrics import Scores
from avdet.datasets.segments import Segments
from avdet.datasets.tables import read_csv

__all__ = ["align", "prediction_table", "read_prediction_tables", "read_predictions", "write_predictions"]


def write_predictions(
    path: Path, ids: Sequence[str], scores: Mapping[str, Scores], classes: Mapping[str, ClassNames]
) -> None:
    """Writes nine significant digits, which float32 scores read back from exactly."""
    with atomic_write(path) as partial:
        prediction_table(ids, scores, classes).to_csv(partial, index=False, float_format="%.9g")


def prediction_table(
    ids: Sequence[str], scores: Mapping[str, Scores], classes: Mapping[str, ClassNames]
) -> pd.DataFrame:
    """The content of predictions.csv."""
    sets = [pd.DataFrame(scores[name], columns=_columns(name, names)) for name, names in classes.items()]
    table = pd.concat(sets, axis=1)
    table.insert(0, "id", list(ids))
    return table


def read_predictions(path: Path, classes: Mapping[str, ClassNames]) -> dict[str, pd.DataFrame]:
    """Scores by class set, indexed by the segments' ids.

    Raises ValueError if the columns belong to other classes, or the table is incomplete.
    """
    table = read_csv(path, dtype={"id": str})
    columns = {name: _columns(name, names) for name, names in classes.items()}
    expected = ["id", *(column for names in columns.values() for column in names)]
    if set(table.columns) != set(expected):
        missing = [column for column in expected if column not in table]
        unexpected = min(set(table.columns) - set(expected), default="")
        fault = f"{missing[0]!r} is missing" if missing else f"{unexpected!r} is not one of them"
        raise ValueError(
            f"{path} has {len(table.columns)} columns, but the config's classes make {len(expected)}; {fault}: give "
            "the config that the predictions were made with"
        )
    if not len(table):
        raise ValueError(f"{path} has no rows; give the whole table")
    repeated = table["id"].duplicated()
    if repeated.any():
        raise ValueError(f"{path} has {table['id'][repeated].iloc[0]} twice; keep one of the two rows")
    scores = table.set_index("id").apply(pd.to_numeric, errors="coerce")
    invalid = ~np.isfinite(scores.to_numpy()).all(axis=1)
    if invalid.any():
        raise ValueError(
            f"{path} has missing or invalid scores for {scores.index[invalid][0]} ({invalid.sum():,} such rows); give "
            "the whole table"
        )
    return {name: scores[names] for name, names in columns.items()}


def read_prediction_tables(
    dataset: ClassificationDataset[Any], paths: Sequence[Path]
) -> tuple[ClassificationDataset[Any], dict[str, ClassNames], dict[str, pd.DataFrame]]:
    """The data set for the class sets that the tables predict, these sets, and their scores.

    EPIC's verbs and nouns may be in two files.
    """
    task = dataset.config.task
    if task != "classification":
        raise ValueError(f"data.task is {task}, which predicts no class; give the config of the predictions")
    classes: dict[str, ClassNames] = {}
    tables: dict[str, pd.DataFrame] = {}
    for path in paths:
        in_table = {str(column).partition(":")[0] for column in read_csv(path, nrows=0).columns[1:]}
        of_table = dataset.predicting(in_table).class_sets()
        if repeated := of_table.keys() & classes.keys():
            raise ValueError(
                f"{path} is a second table of {min(repeated)}; give one table, or one each for EPIC's verbs and nouns"
            )
        tables |= read_predictions(path, of_table)
        classes |= of_table
    return dataset.predicting(list(classes)), classes, tables


def align(annotated: Segments, tables: Mapping[str, pd.DataFrame]) -> tuple[Segments, dict[str, Scores]]:
    """The annotated segments that every table has, and their scores.

    Raises ValueError for segments that are not annotated, and if the tables have none in common.
    """
    ids = pd.Index(annotated.ids)
    for table in tables.values():
        unknown = table.index.difference(ids)
        if len(unknown):
            raise ValueError(
                f"{len(unknown):,} of the {len(table):,} predictions are of clips that the config's validation split "
                f"does not list, such as {unknown[0]}; give the config that they were made with"
            )
    in_all = np.all([ids.isin(table.index) for table in tables.values()], axis=0)
    if not in_all.any():
        raise ValueError("the prediction tables have no clip in common; give those of one split")
    segments = annotated.select(in_all)
    return segments, {name: table.loc[pd.Index(segments.ids)].to_numpy(np.float64) for name, table in tables.items()}


def _columns(name: str, classes: ClassNames) -> list[str]:
    return [f"{name}:{class_name}" for class_name in classes.names]
