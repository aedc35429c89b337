"""Reads the annotation files of other tools, one module per format."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ava_eval import KEYFRAME_COLUMNS
from ava_eval.csv_reader import open_plain_or_gzip
from avdet.annotations.importers.coco import read_coco
from avdet.annotations.importers.csv_table import read_csv_table
from avdet.annotations.importers.cvat import read_cvat
from avdet.annotations.importers.gttubes import read_gttubes
from avdet.annotations.importers.interval_table import is_interval_table, read_intervals
from avdet.annotations.importers.label_studio import is_label_studio, read_label_studio
from avdet.annotations.importers.mot import is_mot, read_mot
from avdet.annotations.importers.rows import Context, keyframe_rows
from avdet.annotations.importers.via import is_via_csv, read_via, read_via_csv
from avdet.annotations.importers.yolo import is_yolo, read_yolo

__all__ = ["read_all"]

MAX_UNZIPPED = 100_000_000  # bytes
TEXT_SUFFIXES = (".xml", ".json", ".csv", ".tsv", ".txt", ".names", ".yaml", ".ini")


def read_all(paths: Sequence[Path], context: Context) -> list[pd.DataFrame]:
    """Returns a table per file or folder: video, timestamp, x1, y1, x2, y2, action, person_id.

    The format is recognised by the content; gzip and zip are unpacked. Actions and person ids are names. A row without
    a box is a keyframe at which no person acts; images without a box are in a table of their own. A table of actions
    (`interval_table`) gives no rows; it applies to the other files. Raises ValueError for files that cannot be read.
    """
    boxes: list[tuple[Path, dict[str, bytes]]] = []
    for path in paths:
        files = _read_files(path)
        data = next(iter(files.values()), b"")
        if len(files) == 1 and path.suffix != ".pkl" and _is_table(data) and is_interval_table(data, path):
            found = read_intervals(data, path, context.videos, context.choice, context.omitted)
            context.intervals.extend(found)
        else:
            boxes.append((path, files))
    if context.intervals and not boxes:
        raise ValueError(f"{paths[0]} is a table of actions without boxes; give the file of the boxes, too")
    try:
        tables = [_read_annotations(path, files, context) for path, files in boxes]
    except UnicodeDecodeError as error:
        names = ", ".join(str(path) for path, _ in boxes)
        raise ValueError(f"{names}: a text is not UTF-8 ({error.reason}); save it as UTF-8") from None
    if context.empty:
        context.note(
            f"{len(context.empty):,} images without a box are keyframes at which no person acts; if they are "
            "unlabelled, give --no-empty"
        )
        tables.append(keyframe_rows(pd.DataFrame(context.empty, columns=KEYFRAME_COLUMNS)))
    return tables


def _is_table(data: bytes) -> bool:
    return not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"{", b"[", b"#", b"\x80"))


def _read_annotations(path: Path, files: Mapping[str, bytes], context: Context) -> pd.DataFrame:
    if path.is_file() and (path.suffix == ".pkl" or next(iter(files.values()), b"").startswith(b"\x80")):
        return read_gttubes(path, context)
    if is_yolo(files):
        return read_yolo(files, path, context)
    if any(name.endswith(".txt") and is_mot(data, context) for name, data in files.items()):
        return read_mot(files, path, context)
    data = _only_annotation_file(files, path)
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        if start.startswith(b"<"):
            return read_cvat(data, path, context)
        if start.startswith((b"{", b"[")):
            return _read_json(data, path, context)
        if is_via_csv(data):
            return read_via_csv(data, path, context)
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}, which its format requires; export it again") from None
    except (TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} does not follow its format ({error}); export it again") from None
    return read_csv_table(data, path, context)


def _read_json(data: bytes, path: Path, context: Context) -> pd.DataFrame:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}); export it again, encoded as UTF-8") from None
    if isinstance(content, dict) and {"metadata", "attribute", "file"} <= content.keys():
        return read_via(content, path, context)
    if isinstance(content, dict) and {"annotations", "categories"} <= content.keys():
        return read_coco(content, path, context)
    if is_label_studio(content):
        return read_label_studio(content, path, context)
    raise ValueError(
        f"{path} is neither a VIA 3 project nor COCO or Label Studio JSON for videos; docs/custom_data.md describes "
        "the formats"
    )


def _read_files(path: Path) -> dict[str, bytes]:
    """The texts of a folder or zip file by their paths in it, or one file by its name."""
    if path.is_dir():
        found = (file for file in sorted(path.rglob("*")) if file.suffix.lower() in TEXT_SUFFIXES and file.is_file())
        return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in found}
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is a pipe or a device; give a file or a folder")
    try:
        with open_plain_or_gzip(path) as file:
            data = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is a damaged archive ({error}); download or compress it again") from None
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return {path.name.removesuffix(".gz"): data}
    try:
        return _unzipped(data)
    except Exception as error:  # a damaged archive can raise any exception
        raise ValueError(f"{path} is a damaged or hostile archive ({error}); download or compress it again") from None


def _unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(TEXT_SUFFIXES)]
        size = sum(entry.file_size for entry in entries)
        if size > MAX_UNZIPPED:
            raise ValueError(f"it expands to {size / 1e6:,.0f} MB of texts, over {MAX_UNZIPPED / 1e6:.0f}")
        return {entry.filename: archive.read(entry) for entry in entries}


def _only_annotation_file(files: Mapping[str, bytes], path: Path) -> bytes:
    """CVAT packs its XML into a zip file, alone or with the frames."""
    names = [name for name in files if name.lower().endswith((".xml", ".json", ".csv", ".tsv"))]
    if any(name.endswith("xl/workbook.xml") for name in names):
        raise ValueError(f"{path} is an Excel workbook; save its sheet as CSV UTF-8")
    names = list(files) if len(files) == 1 else names
    if len(names) != 1:
        raise ValueError(f"{path} contains {len(names)} annotation files; unpack it and pass the files to import")
    return files[names[0]]
