"""Reads COCO JSON for videos: one image per frame (TAO, CVAT, MOT exports), or tracks of boxes (YouTube-VIS).

`bbox` is x, y, width, height in pixels of the image, from 0 (cocodataset.org/#format-data; pycocotools/coco.py). CVAT
and Datumaro write a section `attributes` into each annotation, with the track's id in `track_id`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from avdet.annotations.importers.rows import Context, LabelledBox, rows_from_boxes
from avdet.annotations.importers.video_index import finite_numbers, first_frame

__all__ = ["read_coco"]

Entry = Mapping[str, Any]


def read_coco(content: Entry, path: Path, context: Context) -> pd.DataFrame:
    """Returns the rows of all boxes: categories are labels, `track_id` or `instance_id` is the track.

    Without a section `videos`, images are named VIDEO_FRAME.jpg. Crowd annotations (`iscrowd`) are omitted. Raises
    ValueError if an image's frame number is missing or ambiguous.
    """
    return rows_from_boxes(_boxes(content, path, context), {}, path, context)


def _boxes(content: Entry, path: Path, context: Context) -> Iterator[LabelledBox]:
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    entries = {entry["id"]: entry for entry in content.get("videos", ())}
    images = {image["id"]: image for image in content.get("images", ())}
    places = _places(entries, images, path, context)
    used = {annotation.get("image_id") for annotation in content["annotations"]}
    for key in images.keys() & places.keys() - used:
        video, frame = places[key]
        context.add_empty(video, frame, path)
    for index, annotation in enumerate(content["annotations"]):
        if annotation.get("iscrowd"):
            context.omitted["crowd annotations"] += 1
            continue
        where = f"{path}, annotation {annotation.get('id', index)}"
        image = images.get(annotation.get("image_id"), {})
        entry = entries.get(annotation.get("video_id", image.get("video_id")), {})
        if not (entry if entries else image) or annotation.get("category_id") not in names:
            raise ValueError(f"{where} has a video or category that the file does not define; correct or remove it")
        if "bboxes" in annotation:
            video = _video(entry, path, context)
            boxes = [(video, frame, box) for frame, box in _boxes_of_track(annotation, entry, where)]
        else:
            boxes = [(*places[annotation["image_id"]], annotation["bbox"])]
        track = annotation.get("track_id", annotation.get("instance_id"))
        for video, frame, box in boxes:
            x, y, w, h = finite_numbers(box, 4, f"{where}: its box")
            width, height = _size(image, path) or _size(entry, path) or context.videos.frame_size(video)
            yield LabelledBox(
                video,
                context.videos.frame_time(video, frame, where),
                (x / width, y / height, (x + w) / width, (y + h) / height),
                names[annotation["category_id"]],
                "" if track is None else str(track),
                {name: _texts(value) for name, value in (annotation.get("attributes") or {}).items()},
            )


def _texts(value: object) -> list[str]:
    """Values of an attribute, which JSON may hold as a truth value, a number, a text or a list."""
    values = value if isinstance(value, list) else [value]
    return ["" if one is None else str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _size(entry: Entry, path: Path) -> tuple[float, float] | None:
    """(width, height) in pixels of an image or a video, if the file has them."""
    size = entry.get("width"), entry.get("height")
    if not all(size):
        return None
    width, height = finite_numbers(size, 2, f"{path}: the size of {entry.get('name') or entry.get('file_name')}")
    return width, height


def _video(entry: Entry, path: Path, context: Context) -> str:
    return context.videos.find(str(entry.get("name") or entry.get("file_name") or _frame_folder(entry)), path)


def _places(
    entries: Mapping[Any, Entry], images: Mapping[Any, Entry], path: Path, context: Context
) -> dict[Any, tuple[str, Any]]:
    """Each image's video and frame number, counted from 0."""
    if entries:
        videos = {key: _video(entry, path, context) for key, entry in entries.items()}
        known = {key: image for key, image in images.items() if image.get("video_id") in videos}
        return {key: (videos[images[key]["video_id"]], frame) for key, frame in _frame_numbers(known, path).items()}
    found = {key: context.videos.find_image(str(image.get("file_name", "")), path) for key, image in images.items()}
    first = first_frame(found.values(), context.videos)
    context.note(f"{path.name}: frame numbers in image names count from {first}")
    return {key: (video, number - first) for key, (video, number) in found.items()}


def _boxes_of_track(annotation: Entry, entry: Entry, where: str) -> list[tuple[object, list[float]]]:
    """(frame, box) pairs: YouTube-VIS has one box per file in `file_names`, which lists every fifth frame."""
    boxes = annotation["bboxes"]
    numbers, first = _trailing_numbers(entry.get("file_names", ()))
    frames = [number - first for number in numbers] or range(len(boxes))
    if len(boxes) > len(frames):
        raise ValueError(
            f"{where} has {len(boxes)} boxes, but its video lists {len(frames)} frames; correct or remove it"
        )
    return [(frame, box) for frame, box in zip(frames, boxes, strict=False) if box]


def _frame_numbers(images: Mapping[Any, Entry], path: Path) -> dict[Any, object]:
    """Returns each image's frame number, counted from 0.

    It is `frame_index`, or else `frame_id` or `frame_idx`, or else the number in the file name. Some tools count these
    from 1, or count labelled frames only, so the number in the file name decides or contradicts them.
    """
    images_of_video: dict[object, list[Any]] = defaultdict(list)
    for key, image in images.items():
        images_of_video[image.get("video_id")].append(key)
    frames: dict[Any, object] = {}
    for keys in images_of_video.values():
        numbers, first = _trailing_numbers([str(images[key].get("file_name", "")) for key in keys])
        for index, key in enumerate(keys):
            frames[key] = _frame_number(images[key], numbers[index] if numbers else None, first, path)
    return frames


def _frame_number(image: Entry, number_in_name: int | None, first: int, path: Path) -> object:
    if "frame_index" in image:
        return image["frame_index"]
    number = next((image[key] for key in ("frame_id", "frame_idx") if key in image), None)
    if number is None and number_in_name is not None:
        return number_in_name - first
    if number is None:
        raise ValueError(f"{path}: image {image.get('id')} has no frame number; add a frame_index, counted from 0")
    if number_in_name is None:
        return number
    if number not in {number_in_name, number_in_name - first}:
        raise ValueError(
            f"{path}: image {image.get('id')} has frame number {number}, but the file name {image['file_name']}; "
            "give each image a frame_index that counts the video's frames from 0"
        )
    return number_in_name - first


def _trailing_numbers(names: Sequence[str]) -> tuple[list[int], int]:
    """The numbers at the end of all file names, if all have one, and the number they start at: 0 or 1."""
    matches = [re.search(r"\d+$", PurePath(name).stem) for name in names]
    numbers = [int(match[0]) for match in matches if match is not None]
    if len(numbers) < len(matches):
        return [], 0
    return numbers, 1 if min(numbers, default=0) == 1 else 0


def _frame_folder(entry: Entry) -> str:
    """YouTube-VIS names a video by the folder of its frames."""
    files = entry.get("file_names") or [""]
    return str(PurePath(files[0]).parent)
