"""Any annotation file, by what it holds."""

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
from avdet.annotations.importers.coco import read_coco_video
from avdet.annotations.importers.csv_labels import read_table
from avdet.annotations.importers.cvat import read_cvat
from avdet.annotations.importers.rows import Videos
from avdet.annotations.importers.via3 import read_via3

__all__ = ["read_annotations"]


def read_annotations(path: Path, videos: Videos, label_map: Mapping[int, str], left_out: Counter[str]) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, action and person_id, both of them names.

    Raises ValueError with what is wrong.
    left_out: counts, by what they are, the entries that give no row.
    """
    data = _unpacked(path)
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return read_cvat(data, path, videos, left_out)
    if not start.startswith((b"{", b"[")):
        return read_table(data, path, videos, label_map, left_out)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no readable JSON ({error}); export it again, as UTF-8") from None
    try:
        if isinstance(content, dict) and {"metadata", "attribute", "file"} <= content.keys():
            return read_via3(content, path, videos, left_out)
        if isinstance(content, dict) and {"annotations", "categories"} <= content.keys():
            return read_coco_video(content, path, videos, left_out)
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}, which its form demands; export it again") from None
    except (TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} holds something else than its form demands ({error}); export it again") from None
    raise ValueError(
        f"{path} is neither a VIA 3 project nor COCO JSON for videos; see docs/custom_data.md for the forms"
    )


def _unpacked(path: Path) -> bytes:
    try:
        with open_plain_or_gzip(path) as file:
            data = file.read()
        return _from_zip(data, path) if zipfile.is_zipfile(io.BytesIO(data)) else data
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError) as error:
        raise ValueError(f"{path} is an archive that cannot be read ({error}); fetch or compress it again") from None


def _from_zip(data: bytes, path: Path) -> bytes:
    """CVAT exports its XML so, alone or beside pictures."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".xml", ".json", ".csv", ".tsv"))]
        if len(names) != 1:
            raise ValueError(f"{path} holds {len(names)} annotation files; unpack it and give those that are meant")
        return archive.read(names[0])
