"""COCO JSON for videos: frames as images (TAO, MOT exports), or tracks with a box a frame (YouTube-VIS)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from avdet.data.importers.rows import Videos, finite, to_rows

__all__ = ["read_coco_video"]


def read_coco_video(content: Mapping[str, Any], path: Path, videos: Videos, left_out: Counter[str]) -> pd.DataFrame:
    """Categories are the actions; `track_id` or `instance_id` names the person. Crowds (`iscrowd`) are left out.

    Raises ValueError where a frame's number is not said (`frame_index`, `frame_id` or `frame_idx` of its image).
    """
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    films = {film["id"]: film for film in content.get("videos", ())}
    if not films:
        raise ValueError(f"{path} has no section videos, so its boxes belong to single pictures; export it as a video")
    images = {image["id"]: image for image in content.get("images", ())}
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
        boxes = _boxes_of_track(annotation) if "bboxes" in annotation else [(_frame(image, path), annotation["bbox"])]
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


def _boxes_of_track(annotation: Mapping[str, Any]) -> Iterator[tuple[int, list[float]]]:
    return ((frame, box) for frame, box in enumerate(annotation["bboxes"]) if box)


def _frame(image: Mapping[str, Any], path: Path) -> object:
    numbers = [image[key] for key in ("frame_index", "frame_id", "frame_idx") if key in image]
    if not numbers:
        raise ValueError(
            f"{path}: image {image.get('id')} does not say which frame it is; it needs a frame_index from 0 on"
        )
    return numbers[0]


def _folder(film: Mapping[str, Any]) -> str:
    """YouTube-VIS names a video by the folder of its pictures."""
    files = film.get("file_names") or [""]
    return str(PurePath(files[0]).parent)
