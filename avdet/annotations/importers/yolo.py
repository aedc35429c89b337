"""Reads folders of YOLO label files, one per image: `class cx cy w h` in fractions of the image.

Ultralytics' tracking adds the confidence and the track's id (engine/results.py: save_txt), and names files
VIDEO_FRAME.txt with frames from 1 (engine/predictor.py). CVAT
and Darknet write obj.names, Ultralytics data.yaml, labelImg classes.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd
import yaml

from avdet.annotations.importers.rows import WITHOUT_BOX, Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import finite_numbers, first_frame

__all__ = ["is_yolo", "read_yolo"]

LINE = re.compile(r"\s*\d+(\s+[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?){4,}\s*", re.IGNORECASE)
NAME_FILES = ("obj.names", "classes.txt", "classes.names", "labels.txt")
MAX_COLUMNS = 7


class Line(NamedTuple):
    """One line of the label file of an image."""

    file: str
    number: int
    cells: list[str]


def is_yolo(files: Mapping[str, bytes]) -> bool:
    """Whether the first label file that is not empty has YOLO's lines."""
    texts = (files[name].decode(errors="replace").strip() for name in _label_files(files))
    first = next((text for text in texts if text), "")
    return LINE.fullmatch(first.partition("\n")[0]) is not None


def read_yolo(files: Mapping[str, bytes], path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of all boxes; classes are labels. Polygons are counted."""
    return rows_from_boxes(_boxes(files, path, context), {}, path, context)


def _label_files(files: Mapping[str, bytes]) -> list[str]:
    lists = {*NAME_FILES, "train.txt", "val.txt", "valid.txt", "test.txt"}
    return sorted(name for name in files if name.endswith(".txt") and PurePosixPath(name).name not in lists)


def _boxes(files: Mapping[str, bytes], path: Path, context: Context) -> Iterator[LabelledBox]:
    lines, empty = list(_lines(files, context)), _empty_files(files)
    names = _class_names(files, path)
    places = {file: context.videos.find_image(file, path) for file in {line.file for line in lines}}
    for file in list(empty):
        try:
            places[file] = context.videos.find_image(file, path)
        except ValueError:  # an image of no video, as a background is
            context.omitted[WITHOUT_BOX] += 1
            empty.remove(file)
    first = first_frame(places.values(), context.videos)
    context.note(f"{path.name}: frame numbers in file names count from {first}")
    for file in empty:
        context.add_empty(places[file][0], places[file][1] - first, f"{path}, {file}")
    has_id = all(len(line.cells) > 5 and line.cells[-1].isdecimal() for line in lines)
    for line in lines:
        where = f"{path}, {line.file}, line {line.number}"
        video, frame = places[line.file]
        cx, cy, w, h = finite_numbers(line.cells[1:5], 4, f"{where}: its box")
        index = int(line.cells[0]) if line.cells[0].isdecimal() else -1
        if index not in names:
            raise ValueError(
                f"{where} has the class {line.cells[0]}, which has no name; put classes.txt or data.yaml "
                "into the folder"
            )
        yield LabelledBox(
            video,
            context.videos.frame_time(video, frame - first, where),
            (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2),
            names[index],
            line.cells[-1] if has_id else "",
            frame=frame,
        )


def _empty_files(files: Mapping[str, bytes]) -> list[str]:
    return [file for file in _label_files(files) if not files[file].decode("utf-8-sig").strip()]


def _lines(files: Mapping[str, bytes], context: Context) -> Iterator[Line]:
    for file in _label_files(files):
        texts = files[file].decode("utf-8-sig").splitlines()
        for number, text in enumerate(texts, start=1):
            cells = text.split()
            if len(cells) > MAX_COLUMNS:
                context.omitted["shapes other than boxes"] += 1
            elif cells:
                yield Line(file, number, cells)


def _class_names(files: Mapping[str, bytes], path: Path) -> dict[int, str]:
    """Class names by index from 0, from the folder or, for a folder of labels alone, from one above it."""
    found = {PurePosixPath(name).name: data for name, data in files.items()}
    for folder in (path, *path.resolve().parents[:3]):
        for name in (*NAME_FILES, "data.yaml", "dataset.yaml"):
            if name not in found and (folder / name).is_file():
                found[name] = (folder / name).read_bytes()
    for name in NAME_FILES:
        if name in found:
            lines = [line.strip() for line in found[name].decode("utf-8-sig").splitlines()]
            return dict(enumerate(line for line in lines if line))
    for name in ("data.yaml", "dataset.yaml"):
        if name in found:
            return _names_of_yaml(found[name], path / name)
    return {}


def _names_of_yaml(data: bytes, path: Path) -> dict[int, str]:
    try:
        names = yaml.safe_load(data)["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(index): str(name) for index, name in pairs}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} has no list of class names ({str(error)[:60]}); write classes.txt instead") from None
