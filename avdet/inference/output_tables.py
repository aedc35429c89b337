"""The tables of one video, as CSV or as parquet, and the CSVs of all videos one after another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import pandas as pd

from ava_eval import BOX_COLUMNS
from avdet.atomic_write import atomic_write
from avdet.datasets.keyframes import ClassNames
from avdet.detection_table import COLUMNS
from avdet.inference.predictions import PersonPredictions
from avdet.people.box_table import csv_lines
from avdet.people.tubes import tube_table, write_tubes

__all__ = [
    "TABLES",
    "Form",
    "OutputSettings",
    "join_csvs",
    "table_file",
    "write_errors",
    "write_label_map",
    "write_tables",
    "written_files",
]

TABLES = ("detections", "boxes", "tubes")
Form = Literal["csv", "parquet"]
_PEOPLE_AT_A_TIME = 1000  # of 80 rows each


@dataclass(frozen=True)
class OutputSettings:
    """What is done with the scores once they are known: mean over `smooth_s`; below `min_score` nothing is drawn."""

    smooth_s: float = 0.0
    min_score: float = 0.3


def table_file(folder: Path, name: str, table: str, form: Form) -> Path:
    """CSVs of videos lie together until they are joined; parquet files are read as they lie, a folder a table."""
    return folder / table / f"{name}.parquet" if form == "parquet" else folder / f"{name}.{table}.csv"


def written_files(output: Path, form: Form) -> list[Path]:
    """What the tables of all videos are, or lie in."""
    tables = [output / (table if form == "parquet" else f"{table}.csv") for table in TABLES]
    return [*tables, output / f"errors.{form}", output / "label_map.txt"]


def write_tables(
    people: PersonPredictions, name: str, classes: ClassNames, folder: Path, showing: OutputSettings, form: Form
) -> None:
    """`people` are linked and smoothed. Each file is written whole or not at all."""
    slices = [people.select(slice(i, i + _PEOPLE_AT_A_TIME)) for i in range(0, max(1, len(people)), _PEOPLE_AT_A_TIME)]
    tables = {
        "detections": (part.action_rows(name, classes) for part in slices),
        "boxes": (part.box_rows(name) for part in slices),
        "tubes": iter(
            [tube_table(people.action_rows(name, classes, min_score=showing.min_score), min_score=showing.min_score)]
        ),
    }
    for table, pieces in tables.items():
        with atomic_write(table_file(folder, name, table, form)) as path:
            if form == "parquet":
                _write_parquet(_named(pieces, classes) if table == "tubes" else pieces, path)
            elif table == "tubes":
                write_tubes(next(pieces), path, classes.label_map)
            else:
                _write_csv(pieces, path, boxes=table == "boxes")


def join_csvs(folder: Path, names: Sequence[str], output: Path) -> None:
    """detections.csv, boxes.csv and tubes.csv of these videos in `output`; a header stands once."""
    for table in TABLES:
        with atomic_write(output / f"{table}.csv") as path, path.open("wb") as joined:
            for index, name in enumerate(names):
                with table_file(folder, name, table, "csv").open("rb") as part:
                    if table == "tubes" and index:
                        part.readline()
                    shutil.copyfileobj(part, joined)


def write_errors(errors: Sequence[tuple[str, Path, str]], output: Path, form: Form) -> None:
    """errors.csv or errors.parquet: video, path, error; without a row where all went well."""
    table = pd.DataFrame([(name, str(path), error) for name, path, error in errors], columns=["video", "path", "error"])
    printable = table.map(lambda text: str(text).encode(errors="replace").decode()).astype(str)
    with atomic_write(output / f"errors.{form}") as path:
        if form == "parquet":
            printable.to_parquet(path, index=False)
        else:
            printable.to_csv(path, index=False)


def write_label_map(classes: ClassNames, output: Path) -> None:
    """label_map.txt: what the action ids of the tables are called, `12: stand` a line."""
    with atomic_write(output / "label_map.txt") as path:
        path.write_text("".join(f"{i}: {name}\n" for i, name in classes.label_map.items()), encoding="utf-8")


def _write_csv(pieces: Iterator[pd.DataFrame], path: Path, *, boxes: bool) -> None:
    """As `write_detections` does: nine digits, so that every float32 reads back equal."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for piece in pieces:
            if boxes:
                file.write(csv_lines(piece))
            else:
                piece.to_csv(file, columns=COLUMNS, index=False, header=False, float_format="%.9g", lineterminator="\n")


def _write_parquet(pieces: Iterator[pd.DataFrame], path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415  (the extra `ray`)
    import pyarrow.parquet as pq  # noqa: PLC0415

    first = next(pieces)
    types = {
        "video": pa.large_string(), "action": pa.large_string(), "action_id": pa.int64(), "person_id": pa.int64(),
        "keyframes": pa.int64(), "features": pa.list_(pa.float32()),
        **dict.fromkeys((*BOX_COLUMNS, "score"), pa.float32()),
    }  # fmt: skip
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in first.columns])  # times are doubles
    with pq.ParquetWriter(path, schema) as writer:
        for piece in chain([first], pieces):
            writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=False))


def _named(tubes: Iterator[pd.DataFrame], classes: ClassNames) -> Iterator[pd.DataFrame]:
    for table in tubes:
        yield table.assign(action=table["action_id"].map(classes.label_map))
