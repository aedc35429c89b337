"""The project file of VIA 3 (the VGG Video Annotator, with which AVA was labelled): boxes at single times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from avdet.annotations.importers.rows import Videos, finite, to_rows

__all__ = ["read_via3"]

RECTANGLE = 2  # of `xy`, whose first number is the shape
TEXT = "1"  # of an attribute's type
WHO = re.compile(r"person|track|\bid\b|identity", re.IGNORECASE)


def read_via3(project: Mapping[str, Any], path: Path, videos: Videos, left_out: Counter[str]) -> pd.DataFrame:
    """Rows of all rectangles at one time; segments of time alone, which are nobody's, and other shapes are left out.

    Options of checkbox, radio and select attributes are the actions, as are texts; an attribute whose name speaks of a
    person, a track or an id names the person.
    """
    return to_rows(_rows(project, path, videos, left_out), path, left_out)


def _rows(project: Mapping[str, Any], path: Path, videos: Videos, left_out: Counter[str]) -> Iterator[dict[str, Any]]:
    for key, region in project["metadata"].items():
        shape = region.get("xy") or [0]
        if shape[0] != RECTANGLE or len(region.get("z", ())) != 1:
            left_out["regions that are no rectangle at one time" if shape[0] else "segments of time without a box"] += 1
            continue
        video = videos.name_of(_file_of(project, str(region["vid"]), path), path)
        width, height = videos.size(video)
        where = f"{path}, region {key}"
        x, y, w, h = finite(shape[1:5], 4, f"{where}: the rectangle")
        (time_s,) = finite(region["z"], 1, f"{where}: the time")
        who, actions = _read_values(project["attribute"], region.get("av", {}), where)
        left_out["boxes without an action"] += not actions
        row = {
            "video": video,
            "timestamp": time_s,
            "x1": x / width, "y1": y / height, "x2": (x + w) / width, "y2": (y + h) / height,
            "person_id": who,
        }  # fmt: skip
        yield from ({**row, "action": action} for action in actions)


def _file_of(project: Mapping[str, Any], view: str, path: Path) -> str:
    try:
        (file, *_) = project["view"][view]["fid_list"]
        return str(project["file"][str(file)]["fname"])
    except (KeyError, ValueError):
        raise ValueError(f"{path} names no file for its view {view}; is it a whole VIA 3 project?") from None


def _read_values(attributes: Mapping[str, Any], values: Mapping[str, Any], where: str) -> tuple[str, list[str]]:
    who, actions = "", []
    for key, value in values.items():
        attribute = attributes.get(key, {})
        text = str(value).strip()
        if WHO.search(attribute.get("aname", "")):
            who = str(attribute.get("options", {}).get(text, text)) or who
        elif str(attribute.get("type", TEXT)) == TEXT:
            actions += [text] if text else []
        else:
            actions += [_option(attribute, option, where) for option in text.split(",") if option]
    return who, actions


def _option(attribute: Mapping[str, Any], option: str, where: str) -> str:
    if option not in attribute["options"]:
        raise ValueError(f"{where} has the option {option!r}, which its attribute does not define; mend it in VIA")
    return str(attribute["options"][option])
