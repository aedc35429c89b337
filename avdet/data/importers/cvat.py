"""CVAT's "CVAT for video 1.1" XML: tracks of boxes, a label and attributes each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from avdet.data.importers.rows import Videos, to_rows

__all__ = ["read_cvat"]

NOT_AN_ACTION = {"", "false", "__undefined__"}


def read_cvat(path: Path, videos: Videos) -> pd.DataFrame:
    """Rows of all boxes that are not outside the frame.

    A track's attributes are the actions: a checkbox that is on by its name, any other by its value. A track without
    attributes does what its label says. Frames between two boxes that CVAT left out are not filled in.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path} is no readable XML ({error}); export it again as CVAT for video 1.1") from None
    if root.tag != "annotations" or (root.find("track") is None and root.find("image") is not None):
        raise ValueError(f"{path} is not of the form CVAT for video 1.1; export the task in that form")
    return to_rows(_rows(root, path, videos))


def _rows(root: ElementTree.Element, path: Path, videos: Videos) -> Iterator[dict[str, Any]]:
    tasks = {task.findtext("id"): task for task in root.iterfind("meta//task")}
    only = next(iter(tasks.values()), None)
    for number, track in enumerate(root.iterfind("track")):
        task = tasks.get(track.get("task_id"), only)
        video = videos.name_of(_source(root, task), path)
        width, height = _size(root, task) or videos.size(video)
        for box in track.iterfind("box"):
            if box.get("outside") == "1":
                continue
            x1, y1, x2, y2 = (float(box.get(side, "nan")) for side in ("xtl", "ytl", "xbr", "ybr"))
            row = {
                "video": video,
                "timestamp": videos.time_of(video, int(box.get("frame", "-1")), path),
                "x1": x1 / width, "y1": y1 / height, "x2": x2 / width, "y2": y2 / height,
                "person_id": int(track.get("id", number)),
            }  # fmt: skip
            yield from ({**row, "action": action} for action in _actions(track, box))


def _actions(track: ElementTree.Element, box: ElementTree.Element) -> list[str]:
    attributes = box.findall("attribute")
    if not attributes:
        return [track.get("label", "")]
    named = {(a.get("name") or "").strip(): (a.text or "").strip() for a in attributes}
    return [
        name if value.lower() == "true" else value
        for name, value in named.items()
        if value.lower() not in NOT_AN_ACTION
    ]


def _source(root: ElementTree.Element, task: ElementTree.Element | None) -> str:
    places = [task.findtext("source"), task.findtext("name")] if task is not None else []
    return next((name for name in (*places, root.findtext("meta/source")) if name), "")


def _size(root: ElementTree.Element, task: ElementTree.Element | None) -> tuple[int, int] | None:
    for place in (task, root.find("meta")):
        size = place.find("original_size") if place is not None else None
        if size is not None:
            width, height = int(size.findtext("width") or 0), int(size.findtext("height") or 0)
            return (width, height) if width > 0 and height > 0 else None
    return None
