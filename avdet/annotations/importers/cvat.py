"""Reads CVAT's "CVAT for video 1.1" XML: tracks of boxes, each with a label and attributes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from avdet.annotations.importers.rows import VideoIndex, finite_numbers, rows_from_records

__all__ = ["read_cvat"]

NO_ACTION_VALUES = {"", "false", "__undefined__"}


def read_cvat(data: bytes, path: Path, videos: VideoIndex, omitted: Counter[str]) -> pd.DataFrame:
    """Returns the rows of all boxes that are inside the frame (outside="0").

    Attributes are actions: a checked checkbox by its name, any other attribute by its value. The label is the action
    of a track without attributes. Frames that CVAT leaves out between two boxes are not interpolated.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two for unknown encodings
        raise ValueError(f"{path} is not valid XML ({error}); export it again as CVAT for video 1.1") from None
    if root.tag != "annotations" or (root.find("track") is None and root.find("image") is not None):
        raise ValueError(f"{path} is not in the format CVAT for video 1.1; export the task in that format")
    return rows_from_records(_records(root, path, videos, omitted), path, omitted)


def _records(
    root: ElementTree.Element, path: Path, videos: VideoIndex, omitted: Counter[str]
) -> Iterator[dict[str, Any]]:
    tasks = {task.findtext("id"): task for task in root.iterfind("meta//task")}
    first_task = next(iter(tasks.values()), None)
    for number, track in enumerate(root.iterfind("track")):
        task = tasks.get(track.get("task_id"), first_task)
        video = videos.find(_source(root, task), path)
        width, height = _frame_size(root, task) or videos.frame_size(video)
        track_id = track.get("id", str(number))
        for box in track:
            if box.get("outside") == "1":
                continue
            if box.tag != "box":
                omitted["shapes other than boxes"] += 1
                continue
            actions = _actions(track, box)
            omitted["boxes without an action"] += not actions
            where = f"{path}, track {track_id}: the box on frame {box.get('frame')}"
            x1, y1, x2, y2 = finite_numbers([box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")], 4, where)
            (degrees,) = finite_numbers([box.get("rotation", 0.0)], 1, f"{where}: its rotation")
            x1, y1, x2, y2 = _enclosing_box(x1, y1, x2, y2, degrees)
            record = {
                "video": video,
                "timestamp": videos.frame_time(video, box.get("frame"), path),
                "x1": x1 / width, "y1": y1 / height, "x2": x2 / width, "y2": y2 / height,
                "person_id": track_id,
            }  # fmt: skip
            yield from ({**record, "action": action} for action in actions)


def _enclosing_box(x1: float, y1: float, x2: float, y2: float, degrees: float) -> tuple[float, float, float, float]:
    """The upright box around a box that is rotated about its centre."""
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    width, height = (x2 - x1) * cosine + (y2 - y1) * sine, (x2 - x1) * sine + (y2 - y1) * cosine
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _actions(track: ElementTree.Element, box: ElementTree.Element) -> list[str]:
    attributes = box.findall("attribute")
    if not attributes:
        return [track.get("label", "")]
    values = {(a.get("name") or "").strip(): (a.text or "").strip() for a in attributes}
    return [
        name if value.lower() == "true" else value
        for name, value in values.items()
        if value.lower() not in NO_ACTION_VALUES
    ]


def _source(root: ElementTree.Element, task: ElementTree.Element | None) -> str:
    """The name of the video file."""
    names = [task.findtext("source"), task.findtext("name")] if task is not None else []
    return next((name for name in (*names, root.findtext("meta/source")) if name), "")


def _frame_size(root: ElementTree.Element, task: ElementTree.Element | None) -> tuple[int, int] | None:
    """(width, height) in pixels, if the file has them."""
    for parent in (task, root.find("meta")):
        size = parent.find("original_size") if parent is not None else None
        if size is not None:
            width, height = (size.findtext(side, "").strip() for side in ("width", "height"))
            is_valid = width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0
            return (int(width), int(height)) if is_valid else None
    return None
