"""Writes COCO with `videos` and `attributes`: images are frames, each action is an attribute, true or false.

CVAT and Datumaro read and write `attributes` and the track in `attributes.track_id` (datumaro/plugins/
data_formats/coco/base.py); TAO's `track_id`, `video_id` and `frame_index` are in the file, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avdet.annotations.exporters.labelled_videos import NO_PERSON, PERSON_LABEL, FrameBox, LabelledVideo

__all__ = ["write_coco"]


def write_coco(videos: Sequence[LabelledVideo], actions: Sequence[str], folder: Path) -> list[Path]:
    """Writes coco.json. Images are named VIDEO/FRAME.jpg with frames from 0; their files are not written."""
    entries: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for video_id, video in enumerate(videos, 1):
        width, height = video.size
        entries.append({"id": video_id, "name": video.name, "width": width, "height": height})
        image_ids: dict[int, int] = {}
        for box in video.boxes:
            if box.frame not in image_ids:
                image_ids[box.frame] = len(images) + 1
                images.append(_image(len(images) + 1, video_id, video, box.frame))
            place = {"id": len(annotations) + 1, "image_id": image_ids[box.frame], "category_id": 1}
            annotations.append(place | _annotation(box, video, actions))
    categories = [{"id": 1, "name": PERSON_LABEL, "supercategory": ""}]
    content = {"videos": entries, "images": images, "categories": categories, "annotations": annotations}
    path = folder / "coco.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    return [path]


def _image(image_id: int, video_id: int, video: LabelledVideo, frame: int) -> dict[str, Any]:
    width, height = video.size
    name = f"{video.name}/{frame:06d}.jpg"
    return {
        "id": image_id, "file_name": name, "width": width, "height": height, "video_id": video_id, "frame_index": frame,
    }  # fmt: skip


def _annotation(box: FrameBox, video: LabelledVideo, actions: Sequence[str]) -> dict[str, Any]:
    x1, y1, x2, y2 = video.in_pixels(box)
    track = {} if box.person_id == NO_PERSON else {"track_id": box.person_id}
    sides = [round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)]
    attributes = {action: action in box.actions for action in actions} | track
    return {
        "bbox": sides, "area": round(sides[2] * sides[3], 2), "iscrowd": 0, "segmentation": [],
        "attributes": attributes, **track,
    }  # fmt: skip
