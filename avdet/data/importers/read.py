"""Any annotation file, by what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from avdet.data.importers.coco_video import read_coco_video
from avdet.data.importers.cvat import read_cvat
from avdet.data.importers.rows import Videos
from avdet.data.importers.table import read_table
from avdet.data.importers.via3 import read_via3

__all__ = ["read_annotations"]


def read_annotations(path: Path, videos: Videos, label_map: Mapping[int, str]) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, action (its name), person_id. Raises ValueError with what is wrong."""
    start = path.read_bytes()[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return read_cvat(path, videos)
    if not start.startswith((b"{", b"[")):
        return read_table(path, videos, label_map)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is no readable JSON ({error}); export it again") from None
    try:
        if isinstance(content, dict) and {"metadata", "attribute", "file"} <= content.keys():
            return read_via3(content, path, videos)
        if isinstance(content, dict) and {"annotations", "categories"} <= content.keys():
            return read_coco_video(content, path, videos)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} lacks {error}, which its form demands; export it again") from None
    raise ValueError(
        f"{path} is neither a VIA 3 project nor COCO JSON for videos; see docs/custom_data.md for the forms"
    )
