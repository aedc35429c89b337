"""Reads the annotation files of other tools: CVAT, VIA 3, COCO for videos and plain CSV, one module per format."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ava_eval.csv_reader import open_plain_or_gzip
from avdet.annotations.importers.coco import read_coco
from avdet.annotations.importers.csv_table import read_csv_table
from avdet.annotations.importers.cvat import read_cvat
from avdet.annotations.importers.rows import VideoIndex
from avdet.annotations.importers.via import read_via

__all__ = ["read_annotations"]


def read_annotations(
    path: Path, videos: VideoIndex, label_map: Mapping[int, str], omitted: Counter[str]
) -> pd.DataFrame:
    """Returns one row per person and action: video, timestamp, x1, y1, x2, y2, action, person_id.

    The format is recognised by the content; gzip and zip are unpacked. Actions and person ids are names. `omitted`
    counts the entries that give no row, by reason. Raises ValueError for files that cannot be read.
    """
    data = _unpack(path)
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return read_cvat(data, path, videos, omitted)
    if not start.startswith((b"{", b"[")):
        return read_csv_table(data, path, videos, label_map, omitted)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}); export it again, encoded as UTF-8") from None
    try:
        if isinstance(content, dict) and {"metadata", "attribute", "file"} <= content.keys():
            return read_via(content, path, videos, omitted)
        if isinstance(content, dict) and {"annotations", "categories"} <= content.keys():
            return read_coco(content, path, videos, omitted)
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}, which its format requires; export it again") from None
    except (TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} does not follow its format ({error}); export it again") from None
    raise ValueError(
        f"{path} is neither a VIA 3 project nor COCO JSON for videos; docs/custom_data.md describes the formats"
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
        if len(names) != 1:
            raise ValueError(f"{path} contains {len(names)} annotation files; unpack it and pass the files to import")
        return archive.read(names[0])
