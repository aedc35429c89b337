"""Reads VIA 3 (VGG Image Annotator, the tool with which AVA was labelled): rectangles at times of videos, or on images.

The project is JSON. The CSV export names attributes and options in its line `# ATTRIBUTE = {...}`; older releases
write `# ATTRIBUTES = {id: name}` without options (_via_import_export.js, _via_data.js).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pandas as pd

from avdet.annotations.importers.rows import Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import IMAGE_SUFFIXES, finite_numbers, first_frame

__all__ = ["is_via_csv", "read_via", "read_via_csv"]

RECTANGLE = 2  # the first number of `xy` is the shape
TEXT = "1"  # an attribute's type
CSV_ATTRIBUTES = re.compile(r"^#\s*ATTRIBUTES?\s*=\s*(\{.*\})\s*$", re.MULTILINE)
NO_NAMES = "lacks the names of its attributes' options, as VIA 3's CSV of older releases does; give the project (JSON)"


class Region(NamedTuple):
    """A region of a file: times in seconds, shape with coordinates in pixels, values by attribute id."""

    key: str
    file: str
    z: Sequence[Any]
    xy: Sequence[Any]
    values: Mapping[str, Any]


def read_via(project: Mapping[str, Any], path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of all rectangles at a single time or on an image; other regions are counted."""
    regions = [
        Region(key, _file_name(project, str(region["vid"]), path), region.get("z", ()), region.get("xy") or [0], values)
        for key, region in project["metadata"].items()
        for values in [region.get("av", {})]
    ]
    files = [str(file["fname"]) for file in project["file"].values()]
    return _rows(regions, project["attribute"], path, context, files)


def is_via_csv(data: bytes) -> bool:
    return b"CSV_HEADER = metadata_id" in data[:100_000]


def read_via_csv(data: bytes, path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of a CSV export; see `read_via`. Raises ValueError if it has ids where names are needed."""
    text = data.decode("utf-8-sig")
    match = CSV_ATTRIBUTES.search(text)
    try:
        attributes = json.loads(match[1]) if match else {}
        regions = list(_regions_of_csv(text))
    except (ValueError, RecursionError, csv.Error) as error:
        raise ValueError(f"{path} is a damaged CSV export of VIA ({error}); export it again") from None
    named = {key: {"aname": value} if isinstance(value, str) else value for key, value in attributes.items()}
    for region in regions:
        for key, value in region.values.items():
            if "options" not in named.get(key, {}) and re.fullmatch(r"\d+(,\d+)*", str(value)):
                raise ValueError(
                    f"{path}, region {region.key}: the value {value!r} is an option's id: the file {NO_NAMES}"
                )
    return _rows(regions, named, path, context)


def _regions_of_csv(text: str) -> Iterator[Region]:
    lines = (line for line in io.StringIO(text) if not line.startswith("#") and line.strip())
    for key, files, _, z, xy, values, *_ in csv.reader(lines):
        file = str(json.loads(files)[0])  # an address, such as file:///videos/kitchen%20one.mp4, or a name
        file = unquote(urlsplit(file).path) if "://" in file else file
        yield Region(key, file, json.loads(z), json.loads(xy) or [0], json.loads(values))


def _rows(
    regions: Sequence[Region],
    attributes: Mapping[str, Any],
    path: Path,
    context: Context,
    files: Sequence[str] = (),
) -> pd.DataFrame:
    """files: all files of the project, of which images may have no region."""
    names = {key: str(attribute.get("aname") or key) for key, attribute in attributes.items()}
    options = {
        names[key]: [str(option) for option in attribute["options"].values()]
        for key, attribute in attributes.items()
        if attribute.get("options") and str(attribute.get("type", TEXT)) != TEXT
    }
    return rows_from_boxes(_boxes(regions, attributes, names, path, context, files), options, path, context)


def _boxes(
    regions: Sequence[Region],
    attributes: Mapping[str, Any],
    names: Mapping[str, str],
    path: Path,
    context: Context,
    files: Sequence[str],
) -> Iterator[LabelledBox]:
    empty = {file for file in files if _is_image(file)} - {region.file for region in regions}
    used = {region.file for region in regions if _is_of_image(region)}
    images = {file: context.videos.find_image(file, path) for file in sorted(used | empty)}
    first = first_frame(images.values(), context.videos)
    for file in sorted(empty):
        context.add_empty(images[file][0], images[file][1] - first, f"{path}, {file}")
    if images:
        context.note(f"{path.name}: frame numbers in image names count from {first}")
    for region in regions:
        where = f"{path}, region {region.key}"
        if region.xy[0] != RECTANGLE or not (len(region.z) == 1 or region.file in images):
            is_segment = not region.xy[0] and len(region.z) == 2
            reason = (
                "temporal segments without a box" if is_segment else "regions other than rectangles at a single time"
            )
            context.omitted[reason if region.xy[0] or region.z else "values of whole files"] += 1
            continue
        if region.file in images:
            video, frame = images[region.file]
            time_s = context.videos.frame_time(video, frame - first, where)
        else:
            video = context.videos.find(region.file, path)
            (time_s,) = finite_numbers(region.z, 1, f"{where}: the time")
        width, height = context.videos.frame_size(video)
        x, y, w, h = finite_numbers(region.xy[1:5], 4, f"{where}: the rectangle")
        values = {
            names.get(key, key): _texts(attributes.get(key, {}), str(value).strip(), where)
            for key, value in region.values.items()
        }
        box = (x / width, y / height, (x + w) / width, (y + h) / height)
        yield LabelledBox(video, time_s, box, attributes=values)


def _is_of_image(region: Region) -> bool:
    return region.xy[0] == RECTANGLE and not region.z and _is_image(region.file)


def _is_image(file: str) -> bool:
    return PurePosixPath(file).suffix.lower() in IMAGE_SUFFIXES


def _file_name(project: Mapping[str, Any], view: str, path: Path) -> str:
    try:
        (file, *_) = project["view"][view]["fid_list"]
        return str(project["file"][str(file)]["fname"])
    except (KeyError, ValueError):
        raise ValueError(f"{path} names no file for its view {view}; save the whole VIA 3 project again") from None


def _texts(attribute: Mapping[str, Any], text: str, where: str) -> list[str]:
    """A text, or the names of the selected options."""
    options = attribute.get("options") or {}
    if str(attribute.get("type", TEXT)) == TEXT:
        return [str(options.get(text, text))]
    chosen = [option for option in text.split(",") if option]
    unknown = [option for option in chosen if option not in options]
    if unknown:
        raise ValueError(
            f"{where} has the option {unknown[0]!r}, which its attribute does not define; correct it in VIA"
        )
    return [str(options[option]) for option in chosen]
