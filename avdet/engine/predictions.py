"""Scores of whole clips as a table: a row a clip, a column a class, named `set:class`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avdet.data.build_clips import build_class_sets
from avdet.data.keyframes import ClassNames
from avdet.data.segments import Segments
from avdet.data_settings import ClipData, EpicData
from avdet.engine.metrics import Scores

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
    """Scores by class set, rows named by the clips' ids. Raises ValueError where the columns are of other classes."""
    table = pd.read_csv(path, dtype={"id": str})
    wanted = ["id", *(column for name, names in classes.items() for column in _columns(name, names))]
    if list(table.columns) != wanted:
        missing = [column for column in wanted if column not in table] or ["their order"]
        raise ValueError(
            f"{path} has {len(table.columns)} columns and the recipe's classes make {len(wanted)}; it lacks "
            f"{missing[0]!r}: give the recipe that it was written with"
        )
    by_id = table.drop_duplicates("id").set_index("id")
    return {name: by_id[_columns(name, names)] for name, names in classes.items()}


def read_tables(
    data: ClipData, paths: Sequence[Path]
) -> tuple[ClipData, dict[str, ClassNames], dict[str, pd.DataFrame]]:
    """The tables of a recipe's classes, of which EPIC's verbs and nouns may lie in two files; and what they predict."""
    classes: dict[str, ClassNames] = {}
    tables: dict[str, pd.DataFrame] = {}
    for path in paths:
        one = data
        if isinstance(data, EpicData):
            sets = {str(column).partition(":")[0] for column in pd.read_csv(path, nrows=0).columns[1:]}
            one = data.model_copy(update={"predict": tuple(name for name in ("verb", "noun") if name in sets)})
        own = build_class_sets(one)
        tables |= read_predictions(path, own)
        classes |= own
    if isinstance(data, EpicData):
        data = data.model_copy(update={"predict": tuple(classes)})
    return data, classes, tables


def align(annotated: Segments, tables: Mapping[str, pd.DataFrame]) -> tuple[Segments, dict[str, Scores]]:
    """The annotated clips that every table has, and their scores. Raises ValueError for clips that nobody annotated."""
    ids = pd.Index(annotated.ids)
    for table in tables.values():
        foreign = table.index.difference(ids)
        if len(foreign):
            raise ValueError(
                f"{len(foreign):,} of the {len(table):,} predictions are of clips that the recipe's val split does not "
                f"list, such as {foreign[0]}; give the recipe that they were made with"
            )
    here = np.all([ids.isin(table.index) for table in tables.values()], axis=0)
    segments = annotated.select(here)
    return segments, {name: table.loc[pd.Index(segments.ids)].to_numpy(np.float64) for name, table in tables.items()}


def _columns(name: str, classes: ClassNames) -> list[str]:
    return [f"{name}:{class_name}" for class_name in classes.names]
