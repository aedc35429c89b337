"""The tables of one video, as CSV or parquet, and the joined CSVs of all videos."""

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
from avdet.datasets.class_names import ClassNames
from avdet.detection_table import COLUMNS
from avdet.inference.predictions import PersonPredictions
from avdet.people.events import event_table, events_of_tubes
from avdet.people.tubes import rounded_tubes, tube_table

__all__ = [
    "TABLES",
    "OutputSettings",
    "TableFormat",
    "join_csvs",
    "table_file",
    "write_errors",
    "write_label_map",
    "write_tables",
    "written_files",
]

TABLES = ("detections", "boxes", "tubes", "events")
_AVA_TABLES = ("detections", "boxes")  # have no header in AVA's form
TableFormat = Literal["csv", "parquet"]
_PERSONS_AT_A_TIME = 1000  # bounds the memory: each has up to 80 rows


@dataclass(frozen=True)
class OutputSettings:
    """What the tables hold.

    smooth_window_s: scores are averaged over so many seconds. min_score: of actions that are drawn or make tubes and
    events. header: of detections.csv and boxes.csv; without it they have AVA's form, and detections.csv has neither
    action names nor person ids, as AVA's scripts require.
    """

    smooth_window_s: float = 0.0
    min_score: float = 0.3
    header: bool = True


def table_file(folder: Path, name: str, table: str, table_format: TableFormat) -> Path:
    """Path of one video's table; parquet files lie in one subfolder per table, as readers of parquet expect."""
    return folder / table / f"{name}.parquet" if table_format == "parquet" else folder / f"{name}.{table}.csv"


def written_files(output: Path, table_format: TableFormat) -> list[Path]:
    """Files and folders in `output` that a run writes, besides the annotated videos."""
    tables = [output / (table if table_format == "parquet" else f"{table}.csv") for table in TABLES]
    return [*tables, output / f"errors.{table_format}", output / "label_map.txt"]


def write_tables(
    predictions: PersonPredictions,
    name: str,
    classes: ClassNames,
    folder: Path,
    settings: OutputSettings,
    table_format: TableFormat,
) -> None:
    """Writes detections, boxes, tubes and events of one video from its linked and smoothed predictions."""
    starts = range(0, max(1, len(predictions)), _PERSONS_AT_A_TIME)
    slices = [predictions.select(slice(start, start + _PERSONS_AT_A_TIME)) for start in starts]
    confident = predictions.action_rows(name, classes, min_score=settings.min_score)
    tubes = tube_table(confident, min_score=settings.min_score)
    named_tubes = tubes.assign(action=tubes["action_id"].map(classes.label_map))
    tables = {
        "detections": (part.action_rows(name, classes) for part in slices),
        "boxes": (part.box_rows(name) for part in slices),
        "tubes": iter([named_tubes if table_format == "parquet" else rounded_tubes(named_tubes)]),
        "events": iter([event_table(events_of_tubes(tubes, classes.label_map))]),
    }
    for table, pieces in tables.items():
        with atomic_write(table_file(folder, name, table, table_format)) as path:
            if table_format == "parquet":
                _write_parquet(pieces, path)
            else:
                _write_csv(pieces, path, table, header=settings.header)


def join_csvs(folder: Path, names: Sequence[str], output: Path, *, header: bool = True) -> None:
    """Joins the videos' CSVs into detections.csv, boxes.csv, tubes.csv and events.csv of `output`, each header once."""
    for table in TABLES:
        has_header = header or table not in _AVA_TABLES
        with atomic_write(output / f"{table}.csv") as path, path.open("wb") as joined:
            for index, name in enumerate(names):
                with table_file(folder, name, table, "csv").open("rb") as part:
                    if has_header and index:
                        part.readline()
                    shutil.copyfileobj(part, joined)


def write_errors(errors: Sequence[tuple[str, Path, str]], output: Path, table_format: TableFormat) -> None:
    """Writes errors.csv or errors.parquet with the columns video, path, error; without rows if nothing failed."""
    table = pd.DataFrame([(name, str(path), error) for name, path, error in errors], columns=["video", "path", "error"])
    printable = table.map(lambda text: str(text).encode(errors="replace").decode()).astype(str)
    with atomic_write(output / f"errors.{table_format}") as path:
        if table_format == "parquet":
            printable.to_parquet(path, index=False)
        else:
            printable.to_csv(path, index=False)


def write_label_map(classes: ClassNames, output: Path) -> None:
    """Writes label_map.txt, which names the tables' action ids, one `12: stand` per line."""
    with atomic_write(output / "label_map.txt") as path:
        path.write_text("".join(f"{i}: {name}\n" for i, name in classes.label_map.items()), encoding="utf-8")


def _write_csv(pieces: Iterator[pd.DataFrame], path: Path, table: str, *, header: bool) -> None:
    """Nine digits, as in `write_detections`, so that every float32 reads back equal."""
    has_header = header or table not in _AVA_TABLES
    detection_columns = [*COLUMNS, "action"] if header else COLUMNS[:-1]
    columns = detection_columns if table == "detections" else None
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, piece in enumerate(pieces):
            first = has_header and number == 0
            piece.to_csv(file, columns=columns, index=False, header=first, float_format="%.9g", lineterminator="\n")


def _write_parquet(pieces: Iterator[pd.DataFrame], path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415  (from the extra `ray`)
    import pyarrow.parquet as pq  # noqa: PLC0415

    first = next(pieces)
    types = {
        "video": pa.large_string(), "action": pa.large_string(), "action_id": pa.int64(), "person_id": pa.int64(),
        "keyframes": pa.int64(), "features": pa.list_(pa.float32()),
        **dict.fromkeys((*BOX_COLUMNS, "score"), pa.float32()),
    }  # fmt: skip
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in first.columns])  # times are float64
    with pq.ParquetWriter(path, schema) as writer:
        for piece in chain([first], pieces):
            writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=False))
