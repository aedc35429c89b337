"""CVAT's "CVAT for video 1.1" XML: tracks of boxes, a label and attributes each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from avdet.annotations.importers.rows import Videos, finite, to_rows

__all__ = ["read_cvat"]

NOT_AN_ACTION = {"", "false", "__undefined__"}


def read_cvat(data: bytes, path: Path, videos: Videos, left_out: Counter[str]) -> pd.DataFrame:
    """Rows of all boxes that are not outside the frame.

    A track's attributes are the actions: a checkbox that is on by its name, any other by its value. A track without
    attributes does what its label says. Frames between two boxes that CVAT left out are not filled in.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two for odd encodings
        raise ValueError(f"{path} is no readable XML ({error}); export it again as CVAT for video 1.1") from None
    if root.tag != "annotations" or (root.find("track") is None and root.find("image") is not None):
        raise ValueError(f"{path} is not of the form CVAT for video 1.1; export the task in that form")
    return to_rows(_rows(root, path, videos, left_out), path, left_out)


def _rows(root: ElementTree.Element, path: Path, videos: Videos, left_out: Counter[str]) -> Iterator[dict[str, Any]]:
    tasks = {task.findtext("id"): task for task in root.iterfind("meta//task")}
    only = next(iter(tasks.values()), None)
    for number, track in enumerate(root.iterfind("track")):
        task = tasks.get(track.get("task_id"), only)
        video = videos.name_of(_source(root, task), path)
        width, height = _size(root, task) or videos.size(video)
        who = track.get("id", str(number))
        for box in track:
            if box.get("outside") == "1":
                continue
            if box.tag != "box":
                left_out["shapes that are no box"] += 1
                continue
            actions = _actions(track, box)
            left_out["boxes without an action"] += not actions
            where = f"{path}, track {who}: the box on frame {box.get('frame')}"
            x1, y1, x2, y2 = finite([box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")], 4, where)
            (degrees,) = finite([box.get("rotation", 0.0)], 1, f"{where}: its rotation")
            x1, y1, x2, y2 = _around(x1, y1, x2, y2, degrees)
            row = {
                "video": video,
                "timestamp": videos.time_of(video, box.get("frame"), path),
                "x1": x1 / width, "y1": y1 / height, "x2": x2 / width, "y2": y2 / height,
                "person_id": who,
            }  # fmt: skip
            yield from ({**row, "action": action} for action in actions)


def _around(x1: float, y1: float, x2: float, y2: float, degrees: float) -> tuple[float, float, float, float]:
    """The upright box around one that is turned about its centre."""
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    width, height = (x2 - x1) * cosine + (y2 - y1) * sine, (x2 - x1) * sine + (y2 - y1) * cosine
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


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
            width, height = (size.findtext(side, "").strip() for side in ("width", "height"))
            known = width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0
            return (int(width), int(height)) if known else None
    return None
