"""COCO JSON for videos: frames as images (TAO, MOT exports), or tracks with a box a frame (YouTube-VIS)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from avdet.annotations.importers.rows import Videos, finite, to_rows

__all__ = ["read_coco_video"]


def read_coco_video(content: Mapping[str, Any], path: Path, videos: Videos, left_out: Counter[str]) -> pd.DataFrame:
    """Categories are the actions; `track_id` or `instance_id` names the person. Crowds (`iscrowd`) are left out.

    Raises ValueError where an image does not say, or says in two ways, which frame of its video it is.
    """
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    films = {film["id"]: film for film in content.get("videos", ())}
    if not films:
        raise ValueError(f"{path} has no section videos, so its boxes belong to single pictures; export it as a video")
    images = {image["id"]: image for image in content.get("images", ())}
    frames = _frame_numbers(images, path)
    found: list[dict[str, Any]] = []
    for place, annotation in enumerate(content["annotations"]):
        if annotation.get("iscrowd"):
            left_out["crowds"] += 1
            continue
        where = f"{path}, annotation {annotation.get('id', place)}"
        image = images.get(annotation.get("image_id"), {})
        film = films.get(annotation.get("video_id", image.get("video_id")))
        if film is None or annotation.get("category_id") not in names:
            raise ValueError(f"{where} has no video or no category of those that the file defines; mend or remove it")
        video = videos.name_of(str(film.get("name") or film.get("file_name") or _folder(film)), path)
        sides = film.get("width"), film.get("height")
        width, height = finite(sides, 2, f"{path}: the size of {video}") if all(sides) else videos.size(video)
        if "bboxes" in annotation:
            boxes = _boxes_of_track(annotation, film, where)
        else:
            boxes = [(frames[annotation["image_id"]], annotation["bbox"])]
        for frame, box in boxes:
            x, y, w, h = finite(box, 4, f"{where}: its box")
            found.append(
                {
                    "video": video,
                    "timestamp": videos.time_of(video, frame, where),
                    "x1": x / width, "y1": y / height, "x2": (x + w) / width, "y2": (y + h) / height,
                    "action": names[annotation["category_id"]],
                    "person_id": annotation.get("track_id", annotation.get("instance_id")),
                }
            )  # fmt: skip
    return to_rows(found, path, left_out)


def _boxes_of_track(
    annotation: Mapping[str, Any], film: Mapping[str, Any], where: str
) -> list[tuple[object, list[float]]]:
    """YouTube-VIS has a box for each picture that `file_names` lists, which is every fifth frame."""
    boxes = annotation["bboxes"]
    numbers, first = _numbers_of(film.get("file_names", ()))
    frames = [number - first for number in numbers] or range(len(boxes))
    if len(boxes) > len(frames):
        raise ValueError(
            f"{where} has {len(boxes)} boxes, but its video lists {len(frames)} pictures; mend or remove it"
        )
    return [(frame, box) for frame, box in zip(frames, boxes, strict=False) if box]


def _frame_numbers(images: Mapping[Any, Mapping[str, Any]], path: Path) -> dict[Any, object]:
    """Each image's frame, counted from 0: its `frame_index`; or its `frame_id` or `frame_idx`, unless the number in the
    picture's name says another one, because some count the labelled frames so, or from 1.
    """
    of_film: dict[object, list[Any]] = defaultdict(list)
    for key, image in images.items():
        of_film[image.get("video_id")].append(key)
    frames: dict[Any, object] = {}
    for keys in of_film.values():
        numbers, first = _numbers_of([str(images[key].get("file_name", "")) for key in keys])
        for place, key in enumerate(keys):
            frames[key] = _frame(images[key], numbers[place] if numbers else None, first, path)
    return frames


def _frame(image: Mapping[str, Any], named: int | None, first: int, path: Path) -> object:
    if "frame_index" in image:
        return image["frame_index"]
    said = [image[key] for key in ("frame_id", "frame_idx") if key in image]
    if not said:
        raise ValueError(
            f"{path}: image {image.get('id')} does not say which frame it is; it needs a frame_index from 0 on"
        )
    if named is None:
        return said[0]
    if said[0] not in {named, named - first}:
        raise ValueError(
            f"{path}: image {image.get('id')} is frame {said[0]} by its number, but its name is {image['file_name']}; "
            "give each image a frame_index that counts the video's frames from 0 on"
        )
    return named - first


def _numbers_of(names: Sequence[str]) -> tuple[list[int], int]:
    """The numbers in which pictures' names end, if all do, and the one they count from."""
    ends = [re.search(r"\d+$", PurePath(name).stem) for name in names]
    numbers = [int(end[0]) for end in ends if end is not None]
    if len(numbers) < len(ends):
        return [], 0
    return numbers, 1 if min(numbers, default=0) == 1 else 0


def _folder(film: Mapping[str, Any]) -> str:
    """YouTube-VIS names a video by the folder of its pictures."""
    files = film.get("file_names") or [""]
    return str(PurePath(files[0]).parent)
