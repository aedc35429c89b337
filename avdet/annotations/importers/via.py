"""Reads projects of VIA 3 (VGG Image Annotator, the tool with which AVA was labelled): boxes at single times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from avdet.annotations.importers.rows import VideoIndex, finite_numbers, rows_from_records

__all__ = ["read_via"]

RECTANGLE = 2  # the first number of `xy` is the shape
TEXT = "1"  # an attribute's type
PERSON_ATTRIBUTE = re.compile(r"person|track|\bid\b|identity", re.IGNORECASE)


def read_via(project: Mapping[str, Any], path: Path, videos: VideoIndex, omitted: Counter[str]) -> pd.DataFrame:
    """Returns the rows of all rectangles at a single time; temporal segments and other shapes are omitted.

    Selected options of checkbox, radio and select attributes are actions, as are text attributes. An attribute whose
    name contains person, track, id or identity is the person id.
    """
    return rows_from_records(_records(project, path, videos, omitted), path, omitted)


def _records(
    project: Mapping[str, Any], path: Path, videos: VideoIndex, omitted: Counter[str]
) -> Iterator[dict[str, Any]]:
    for key, region in project["metadata"].items():
        shape = region.get("xy") or [0]
        if shape[0] != RECTANGLE or len(region.get("z", ())) != 1:
            reason = "regions other than rectangles at a single time" if shape[0] else "temporal segments without a box"
            omitted[reason] += 1
            continue
        video = videos.find(_file_name(project, str(region["vid"]), path), path)
        width, height = videos.frame_size(video)
        where = f"{path}, region {key}"
        x, y, w, h = finite_numbers(shape[1:5], 4, f"{where}: the rectangle")
        (time_s,) = finite_numbers(region["z"], 1, f"{where}: the time")
        person_id, actions = _read_attributes(project["attribute"], region.get("av", {}), where)
        omitted["boxes without an action"] += not actions
        record = {
            "video": video,
            "timestamp": time_s,
            "x1": x / width, "y1": y / height, "x2": (x + w) / width, "y2": (y + h) / height,
            "person_id": person_id,
        }  # fmt: skip
        yield from ({**record, "action": action} for action in actions)


def _file_name(project: Mapping[str, Any], view: str, path: Path) -> str:
    try:
        (file, *_) = project["view"][view]["fid_list"]
        return str(project["file"][str(file)]["fname"])
    except (KeyError, ValueError):
        raise ValueError(f"{path} names no file for its view {view}; save the whole VIA 3 project again") from None


def _read_attributes(attributes: Mapping[str, Any], values: Mapping[str, Any], where: str) -> tuple[str, list[str]]:
    """Returns the person id ("" if unknown) and the actions."""
    person_id, actions = "", []
    for key, value in values.items():
        attribute = attributes.get(key, {})
        text = str(value).strip()
        if PERSON_ATTRIBUTE.search(attribute.get("aname", "")):
            person_id = str(attribute.get("options", {}).get(text, text)) or person_id
        elif str(attribute.get("type", TEXT)) == TEXT:
            actions += [text] if text else []
        else:
            actions += [_option_name(attribute, option, where) for option in text.split(",") if option]
    return person_id, actions


def _option_name(attribute: Mapping[str, Any], option: str, where: str) -> str:
    if option not in attribute["options"]:
        raise ValueError(f"{where} has the option {option!r}, which its attribute does not define; correct it in VIA")
    return str(attribute["options"][option])
