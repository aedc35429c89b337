"""Reads COCO JSON for videos: one image per frame (TAO, MOT exports), or tracks of boxes (YouTube-VIS)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from avdet.annotations.importers.rows import VideoIndex, finite_numbers, rows_from_records

__all__ = ["read_coco"]

Entry = Mapping[str, Any]


def read_coco(content: Entry, path: Path, videos: VideoIndex, omitted: Counter[str]) -> pd.DataFrame:
    """Returns one row per box: categories are the actions, `track_id` or `instance_id` is the person id.

    Crowd annotations (`iscrowd`) are omitted. Raises ValueError if an image's frame number is missing or ambiguous.
    """
    if not content.get("videos"):
        raise ValueError(f"{path} has no section videos: its boxes belong to still images; export it as a video")
    return rows_from_records(_records(content, path, videos, omitted), path, omitted)


def _records(content: Entry, path: Path, videos: VideoIndex, omitted: Counter[str]) -> Iterator[dict[str, Any]]:
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    entries = {entry["id"]: entry for entry in content["videos"]}
    images = {image["id"]: image for image in content.get("images", ())}
    frames = _frame_numbers(images, path)
    for index, annotation in enumerate(content["annotations"]):
        if annotation.get("iscrowd"):
            omitted["crowd annotations"] += 1
            continue
        where = f"{path}, annotation {annotation.get('id', index)}"
        image = images.get(annotation.get("image_id"), {})
        entry = entries.get(annotation.get("video_id", image.get("video_id")))
        if entry is None or annotation.get("category_id") not in names:
            raise ValueError(f"{where} has a video or category that the file does not define; correct or remove it")
        video = videos.find(str(entry.get("name") or entry.get("file_name") or _frame_folder(entry)), path)
        size = entry.get("width"), entry.get("height")
        width, height = (
            finite_numbers(size, 2, f"{path}: the size of {video}") if all(size) else videos.frame_size(video)
        )
        if "bboxes" in annotation:
            boxes = _boxes_of_track(annotation, entry, where)
        else:
            boxes = [(frames[annotation["image_id"]], annotation["bbox"])]
        for frame, box in boxes:
            x, y, w, h = finite_numbers(box, 4, f"{where}: its box")
            yield {
                "video": video,
                "timestamp": videos.frame_time(video, frame, where),
                "x1": x / width, "y1": y / height, "x2": (x + w) / width, "y2": (y + h) / height,
                "action": names[annotation["category_id"]],
                "person_id": annotation.get("track_id", annotation.get("instance_id")),
            }  # fmt: skip


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

    It is `frame_index`, or else `frame_id` or `frame_idx`. Some tools count these from 1, or count labelled frames
    only, so the number in the file name, where there is one, decides or contradicts them.
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
