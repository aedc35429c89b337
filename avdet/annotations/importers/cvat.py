"""Reads CVAT's XML: tracks of boxes ("CVAT for video 1.1"), or boxes of single frames ("CVAT for images 1.1").

Frame numbers count all frames of the video from 0, also in tasks with a frame step (cvat/apps/dataset_manager/formats/
cvat.py). Images of a video task are named frame_000025.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from avdet.annotations.importers.rows import WITHOUT_BOX, Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import finite_numbers, first_frame

__all__ = ["read_cvat"]

Element = ElementTree.Element
SIDES = ("xtl", "ytl", "xbr", "ybr")
GAPS = "keyframe gaps (frames without a box between two boxes of a track)"


def read_cvat(data: bytes, path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of all boxes that are inside the frame (outside="0"), with the attributes of box and track.

    Frames that the file leaves out between two boxes are not interpolated; these gaps are counted.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two for unknown encodings
        raise ValueError(f"{path} is not valid XML ({error}); export it again as CVAT for video 1.1") from None
    if root.tag != "annotations":
        raise ValueError(f"{path} is not in the format CVAT for video 1.1; export the task in that format")
    boxes = [*_boxes_of_tracks(root, path, context), *_boxes_of_images(root, path, context)]
    return rows_from_boxes(boxes, _options(root), path, context)


def _options(root: Element) -> dict[str, list[str]]:
    """The values that the labels' definitions allow, by attribute."""
    options: dict[str, list[str]] = {}
    for attribute in root.iterfind("meta//attribute"):
        kind = attribute.findtext("input_type", "")
        if kind in {"select", "radio", "checkbox"}:
            values = ["true", "false"] if kind == "checkbox" else attribute.findtext("values", "").splitlines()
            options.setdefault(attribute.findtext("name", "").strip(), []).extend(map(str.strip, values))
    return options


def _tasks(root: Element) -> dict[str | None, Element]:
    """Tasks by id; the first one has the id None, too. A job's export describes the job instead."""
    tasks = {task.findtext("id"): task for tag in ("task", "job") for task in root.iterfind(f"meta//{tag}")}
    return {**tasks, None: next(iter(tasks.values()))} if tasks else {}


def _boxes_of_tracks(root: Element, path: Path, context: Context) -> Iterator[LabelledBox]:
    tasks = _tasks(root)
    for number, track in enumerate(root.iterfind("track")):
        task = tasks.get(track.get("task_id"), tasks.get(None))
        video = context.videos.find(_source(root, task), path)
        size = _frame_size(root, task, path) or context.videos.frame_size(video)
        track_id = track.get("id", str(number))
        step = int("0" + (task.findtext("frame_filter") or "" if task is not None else "").rpartition("step=")[2]) or 1
        last_frame = math.inf
        for shape in track:
            if shape.tag == "attribute":
                continue
            if shape.tag != "box" or shape.get("outside") == "1":
                context.omitted["shapes other than boxes"] += shape.tag != "box" and shape.get("outside") != "1"
                last_frame = math.inf
                continue
            where = f"{path}, track {track_id}: the box on frame {shape.get('frame')}"
            time_s = context.videos.frame_time(video, shape.get("frame"), path)
            frame = float(shape.get("frame", "0"))
            context.omitted[GAPS] += frame - last_frame > step
            last_frame = frame
            box, attributes = _box(shape, size, where), {**_attributes(track), **_attributes(shape)}
            yield LabelledBox(video, time_s, box, track.get("label", ""), track_id, attributes)


def _boxes_of_images(root: Element, path: Path, context: Context) -> Iterator[LabelledBox]:
    tasks = _tasks(root)
    frames: list[tuple[Element, str, int]] = []
    is_numbered_from_0 = False
    for image in root.iterfind("image"):
        name = image.get("name", "")
        task = tasks.get(image.get("task_id"), tasks.get(None))
        if name.startswith("frame_") and name.removeprefix("frame_").partition(".")[0].isdecimal():
            video, number = context.videos.find(_source(root, task), path), int(name[6:].partition(".")[0])
            is_numbered_from_0 = True
        else:
            video, number = context.videos.find_image(name, path)
        frames.append((image, video, number))
    first = 0 if is_numbered_from_0 else first_frame([(video, number) for _, video, number in frames], context.videos)
    if frames:
        context.note(f"{path.name}: frame numbers in image names count from {first}")
    for image, video, number in frames:
        where = f"{path}, image {image.get('name')}"
        if len(image) == 0 and is_numbered_from_0:  # CVAT lists every frame of a video task
            context.omitted[WITHOUT_BOX] += 1
        elif len(image) == 0:
            context.add_empty(video, number - first, where)
        context.omitted["shapes other than boxes"] += sum(shape.tag != "box" for shape in image)
        size = _size((image.get("width"), image.get("height")), where) or context.videos.frame_size(video)
        for shape in image.iterfind("box"):
            time_s = context.videos.frame_time(video, number - first, where)
            box = _box(shape, size, f"{where}: its box")
            yield LabelledBox(video, time_s, box, shape.get("label", ""), "", _attributes(shape))


def _box(shape: Element, size: tuple[float, float], where: str) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = finite_numbers([shape.get(side) for side in SIDES], 4, where)
    (degrees,) = finite_numbers([shape.get("rotation", 0.0)], 1, f"{where}: its rotation")
    x1, y1, x2, y2 = _enclosing_box(x1, y1, x2, y2, degrees)
    return x1 / size[0], y1 / size[1], x2 / size[0], y2 / size[1]


def _enclosing_box(x1: float, y1: float, x2: float, y2: float, degrees: float) -> tuple[float, float, float, float]:
    """The upright box around a box that is rotated about its centre."""
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    width, height = (x2 - x1) * cosine + (y2 - y1) * sine, (x2 - x1) * sine + (y2 - y1) * cosine
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _attributes(element: Element) -> dict[str, list[str]]:
    return {(a.get("name") or "").strip(): [(a.text or "").strip()] for a in element.iterfind("attribute")}


def _source(root: Element, task: Element | None) -> str:
    """The name of the video file."""
    names = [task.findtext("source"), task.findtext("name")] if task is not None else []
    return next((name for name in (*names, root.findtext("meta/source")) if name), "")


def _frame_size(root: Element, task: Element | None, path: Path) -> tuple[float, float] | None:
    """(width, height) in pixels, if the file has them."""
    for parent in (task, root.find("meta")):
        size = parent.find("original_size") if parent is not None else None
        if size is not None:
            return _size((size.findtext("width"), size.findtext("height")), f"{path}: its original_size")
    return None


def _size(texts: tuple[str | None, str | None], where: str) -> tuple[float, float] | None:
    if not all((text or "").strip().isdecimal() for text in texts):
        return None
    width, height = finite_numbers(texts, 2, where)
    return (width, height) if width and height else None
