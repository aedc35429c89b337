"""Writes one VIA 3 project with all videos: a rectangle at the time of each box.

The attributes are "action", a list of checkboxes, and "person", a text. VIA opens the videos by their file: address,
without asking for them (_via_data.js, _via_file.js and _via_attribute.js of via-3.x.y; data format 3.1.1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avdet.annotations.exporters.labelled_videos import NO_PERSON, FrameBox, LabelledVideo

__all__ = ["write_via"]

TEXT, CHECKBOX = 1, 2
VIDEO, URIFILE, RECTANGLE = 4, 3, 2
BOX_IN_VIDEO = "FILE1_Z1_XY1"  # an attribute of one file, one time and one region


def write_via(videos: Sequence[LabelledVideo], actions: Sequence[str], folder: Path) -> list[Path]:
    """Writes via_project.json. Times have VIA's three decimals."""
    ids = {str(number): video for number, video in enumerate(videos, 1)}
    options = {action: str(number) for number, action in enumerate(actions)}
    content = {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "rev": "__VIA_PROJECT_REV_ID__",
            "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
            "pname": folder.resolve().name,
            "creator": "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)",
            "created": 0,
            "data_format_version": "3.1.1",
            "vid_list": list(ids),
        },
        "config": {
            "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
            "ui": {"file_content_align": "center", "spatial_region_label_attribute_id": "2"},
        },
        "attribute": {
            "1": _attribute("action", CHECKBOX, {key: action for action, key in options.items()}),
            "2": _attribute("person", TEXT, {}),
        },
        "file": {
            key: {"fid": key, "fname": video.path.name, "type": VIDEO, "loc": URIFILE, "src": _address(video)}
            for key, video in ids.items()
        },
        "metadata": {
            f"{key}_{number:06d}": _region(key, video, box, options)
            for key, video in ids.items()
            for number, box in enumerate(video.boxes)
        },
        "view": {key: {"fid_list": [key]} for key in ids},
    }
    path = folder / "via_project.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return [path]


def _address(video: LabelledVideo) -> str:
    return video.path.resolve().as_uri()


def _attribute(name: str, kind: int, options: dict[str, str]) -> dict[str, Any]:
    return {
        "aname": name, "anchor_id": BOX_IN_VIDEO, "type": kind, "desc": "", "options": options, "default_option_id": "",
    }  # fmt: skip


def _region(view: str, video: LabelledVideo, box: FrameBox, options: dict[str, str]) -> dict[str, Any]:
    x1, y1, x2, y2 = video.in_pixels(box)
    sides = [round(value, 3) for value in (x1, y1, x2 - x1, y2 - y1)]
    values = {"1": ",".join(options[action] for action in box.actions)}
    values |= {} if box.person_id == NO_PERSON else {"2": str(box.person_id)}
    return {"vid": view, "flg": 0, "z": [round(box.time_s, 3)], "xy": [RECTANGLE, *sides], "av": values}
