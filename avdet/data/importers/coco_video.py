"""COCO JSON for videos: frames as images (TAO, MOT exports), or tracks with a box a frame (YouTube-VIS)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from avdet.data.importers.rows import Videos, to_rows

__all__ = ["read_coco_video"]


def read_coco_video(content: Mapping[str, Any], path: Path, videos: Videos) -> pd.DataFrame:
    """Categories are the actions; `track_id` or `instance_id` numbers the person.

    Raises ValueError where a frame's number is not said (`frame_index`, `frame_id` or `frame_idx` of its image).
    """
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    films = {film["id"]: film for film in content.get("videos", ())}
    if not films:
        raise ValueError(f"{path} has no section videos, so its boxes belong to single pictures; export it as a video")
    images = {image["id"]: image for image in content.get("images", ())}
    found: list[dict[str, Any]] = []
    for annotation in content["annotations"]:
        boxes = _boxes_of_track(annotation) if "bboxes" in annotation else _box_of_image(annotation, images, path)
        film = films[annotation.get("video_id", images.get(annotation.get("image_id"), {}).get("video_id"))]
        video = videos.name_of(str(film.get("name") or film.get("file_name") or _folder(film)), path)
        width, height = (film["width"], film["height"]) if film.get("width") else videos.size(video)
        found += (
            {
                "video": video,
                "timestamp": videos.time_of(video, frame, path),
                "x1": x / width, "y1": y / height, "x2": (x + w) / width, "y2": (y + h) / height,
                "action": names[annotation["category_id"]],
                "person_id": int(annotation.get("track_id", annotation.get("instance_id", -1))),
            }
            for frame, (x, y, w, h) in boxes
        )  # fmt: skip
    return to_rows(found)


def _boxes_of_track(annotation: Mapping[str, Any]) -> Iterator[tuple[int, list[float]]]:
    return ((frame, box) for frame, box in enumerate(annotation["bboxes"]) if box)


def _box_of_image(
    annotation: Mapping[str, Any], images: Mapping[Any, Mapping[str, Any]], path: Path
) -> Iterator[tuple[int, list[float]]]:
    image = images[annotation["image_id"]]
    numbers = [image[key] for key in ("frame_index", "frame_id", "frame_idx") if key in image]
    if not numbers:
        raise ValueError(
            f"{path}: image {image['id']} does not say which frame it is; it needs a frame_index from 0 on"
        )
    yield int(numbers[0]), annotation["bbox"]


def _folder(film: Mapping[str, Any]) -> str:
    """YouTube-VIS names a video by the folder of its pictures."""
    files = film.get("file_names") or [""]
    return str(PurePath(files[0]).parent)
