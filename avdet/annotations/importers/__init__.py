"""Reads the annotation files of other tools, one module per format."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from ava_eval.csv_reader import open_plain_or_gzip
from avdet.annotations.importers.coco import read_coco
from avdet.annotations.importers.csv_table import read_csv_table
from avdet.annotations.importers.cvat import read_cvat
from avdet.annotations.importers.label_studio import is_label_studio, read_label_studio
from avdet.annotations.importers.rows import Context
from avdet.annotations.importers.via import is_via_csv, read_via, read_via_csv

__all__ = ["read_annotations"]


def read_annotations(path: Path, context: Context) -> pd.DataFrame:
    """Returns one row per person and action: video, timestamp, x1, y1, x2, y2, action, person_id.

    The format is recognised by the content; gzip and zip are unpacked. Actions and person ids are names. A row without
    a box is a keyframe at which no person acts. Raises ValueError for files that cannot be read.
    """
    data = _unpack(path)
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


def _unpack(path: Path) -> bytes:
    try:
        with open_plain_or_gzip(path) as file:
            data = file.read()
        return _only_annotation_file(data, path) if zipfile.is_zipfile(io.BytesIO(data)) else data
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError) as error:
        raise ValueError(f"{path} is a damaged archive ({error}); download or compress it again") from None


def _only_annotation_file(data: bytes, path: Path) -> bytes:
    """CVAT packs its XML into a zip file, alone or with the frames."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".xml", ".json", ".csv", ".tsv"))]
        if "xl/workbook.xml" in names:
            raise ValueError(f"{path} is an Excel workbook; save its sheet as CSV UTF-8")
        if len(names) != 1:
            raise ValueError(f"{path} contains {len(names)} annotation files; unpack it and pass the files to import")
        return archive.read(names[0])
