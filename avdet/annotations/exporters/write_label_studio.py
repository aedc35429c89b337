"""Writes Label Studio's tasks with video annotations (JSON), and the labeling config that they need.

Frames count from 1, numbers are percents. A keyframe with `enabled` false is the last frame on which the box is visible
(`isInLifespan` in web/libs/editor/src/regions/VideoRegion.js). A region has one set of choices, so a person has one
region per set of actions. The results that belong to a region have its id and repeat its value.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from avdet.annotations.exporters.labelled_videos import PERSON_LABEL, FrameBox, LabelledVideo, tracks_of

__all__ = ["write_label_studio"]

Element = ElementTree.Element


def write_label_studio(videos: Sequence[LabelledVideo], actions: Sequence[str], folder: Path) -> list[Path]:
    """Writes tasks.json, a list with one task per video, and labeling_config.xml.

    Videos are named as files of Label Studio's local storage, below the folder that contains theirs.
    """
    tasks = [_task(video) for video in videos]
    paths = [folder / "tasks.json", folder / "labeling_config.xml"]
    paths[0].write_text(json.dumps(tasks, indent=1, ensure_ascii=False), encoding="utf-8")
    config = _config(actions)
    ElementTree.indent(config)
    ElementTree.ElementTree(config).write(paths[1], encoding="utf-8")
    return paths


def _config(actions: Sequence[str]) -> Element:
    view = ElementTree.Element("View")
    labels = ElementTree.SubElement(view, "Labels", name="label", toName="video")
    ElementTree.SubElement(labels, "Label", value=PERSON_LABEL)
    ElementTree.SubElement(view, "Video", name="video", value="$video", frameRate="$fps")
    ElementTree.SubElement(view, "VideoRectangle", name="box", toName="video")
    per_region = {"toName": "video", "perRegion": "true"}
    choices = ElementTree.SubElement(view, "Choices", per_region, name="action", choice="multiple")
    for action in actions:
        ElementTree.SubElement(choices, "Choice", value=action)
    ElementTree.SubElement(view, "TextArea", per_region, name="person", maxSubmissions="1", editable="true")
    return view


def _task(video: LabelledVideo) -> dict[str, Any]:
    url = f"/data/local-files/?d={quote(f'{video.path.resolve().parent.name}/{video.path.name}')}"
    results: list[dict[str, Any]] = []
    for track_id, boxes in tracks_of(video.boxes).items():
        by_actions: dict[tuple[str, ...], list[FrameBox]] = defaultdict(list)
        for box in boxes:
            by_actions[box.actions].append(box)
        for number, (names, kept) in enumerate(by_actions.items()):
            results += _results(f"{video.name}_{track_id}_{number}", track_id, names, kept, video)
    fps = round(video.num_frames / video.duration_s, 6)
    return {"data": {"video": url, "fps": fps}, "annotations": [{"result": results}]}


def _results(
    region: str, track_id: int, actions: tuple[str, ...], boxes: Sequence[FrameBox], video: LabelledVideo
) -> Iterable[dict[str, Any]]:
    frames = {box.frame for box in boxes}
    sequence = [_keyframe(box, is_continued=box.frame + 1 in frames) for box in boxes]
    shared = {"framesCount": video.num_frames, "duration": round(video.duration_s, 6), "sequence": sequence}
    values: dict[str, tuple[str, dict[str, Any]]] = {
        "box": ("videorectangle", {"labels": [PERSON_LABEL]}),
        "action": ("choices", {"choices": list(actions)}),
        "person": ("textarea", {"text": [str(track_id)]}),
    }
    for name, (kind, value) in values.items():
        if name != "action" or actions:
            base = {"id": region, "from_name": name, "to_name": "video", "type": kind}
            yield {**base, "value": {**shared, **value}}


def _keyframe(box: FrameBox, *, is_continued: bool) -> dict[str, Any]:
    x1, y1, x2, y2 = (100 * side for side in box.box)
    sides = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
    rounded = {name: round(value, 4) for name, value in sides.items()}
    return {"frame": box.frame + 1, "enabled": is_continued, "rotation": 0, "time": round(box.time_s, 6), **rounded}
