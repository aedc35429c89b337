"""Writes CVAT's format "CVAT for video 1.1": one XML per video, which is uploaded as annotations of its task.

CVAT matches labels and attributes by name, so the task needs those of labels.json, which its label editor takes as
"Raw". A track stays visible until a shape with outside="1" (cvat/apps/dataset_manager/formats/cvat.py, `load_anno` and
`dump_as_cvat_interpolation`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from avdet.annotations.exporters.labelled_videos import PERSON_LABEL, FrameBox, LabelledVideo, tracks_of

__all__ = ["write_cvat"]

CHECKBOX = {"mutable": True, "input_type": "checkbox", "default_value": "false", "values": ["false"]}
Element = ElementTree.Element


def write_cvat(videos: Sequence[LabelledVideo], actions: Sequence[str], folder: Path) -> list[Path]:
    """Writes VIDEO.xml for each video, and labels.json. Each action is a checkbox; a box is visible on its frame."""
    labels = folder / "labels.json"
    attributes = [{"name": action, **CHECKBOX} for action in actions]
    labels.write_text(json.dumps([{"name": PERSON_LABEL, "attributes": attributes}], indent=1), encoding="utf-8")
    paths = []
    for number, video in enumerate(videos):
        root = ElementTree.Element("annotations")
        ElementTree.SubElement(root, "version").text = "1.1"
        _add_meta(root, number, video, actions)
        for track_id, boxes in tracks_of(video.boxes).items():
            track = ElementTree.SubElement(root, "track", id=str(track_id), label=PERSON_LABEL, source="file")
            _add_boxes(track, boxes, video, actions)
        ElementTree.indent(root)
        paths.append(folder / f"{video.name}.xml")
        ElementTree.ElementTree(root).write(paths[-1], encoding="utf-8", xml_declaration=True)
    return [*paths, labels]


def _add_meta(root: Element, number: int, video: LabelledVideo, actions: Sequence[str]) -> None:
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    facts = {
        "id": number,
        "name": video.name,
        "size": video.num_frames,
        "mode": "interpolation",
        "start_frame": 0,
        "stop_frame": video.num_frames - 1,
        "frame_filter": "",
    }
    _add_texts(task, facts)
    _add_texts(ElementTree.SubElement(task, "original_size"), {"width": video.size[0], "height": video.size[1]})
    ElementTree.SubElement(task, "source").text = video.path.name
    label = ElementTree.SubElement(ElementTree.SubElement(task, "labels"), "label")
    ElementTree.SubElement(label, "name").text = PERSON_LABEL
    attributes = ElementTree.SubElement(label, "attributes")
    for action in actions:
        texts = {"name": action, "mutable": True, "input_type": "checkbox", "default_value": "false", "values": "false"}
        _add_texts(ElementTree.SubElement(attributes, "attribute"), texts)


def _add_texts(parent: Element, texts: dict[str, object]) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(parent, name).text = str(text)


def _add_boxes(track: Element, boxes: Sequence[FrameBox], video: LabelledVideo, actions: Sequence[str]) -> None:
    """Each box, and one with outside="1" on the next frame unless the track has a box there or the video ends."""
    frames = {box.frame for box in boxes}
    for box in boxes:
        _add_box(track, box, box.frame, video, actions)
        if box.frame + 1 not in frames and box.frame + 1 < video.num_frames:
            _add_box(track, box, box.frame + 1, video, actions)


def _add_box(track: Element, box: FrameBox, frame: int, video: LabelledVideo, actions: Sequence[str]) -> None:
    sides = dict(zip(("xtl", "ytl", "xbr", "ybr"), map("{:.2f}".format, video.in_pixels(box)), strict=True))
    outside = str(int(frame != box.frame))
    state = {"frame": str(frame), "keyframe": "1", "outside": outside, "occluded": "0", "z_order": "0"}
    element = ElementTree.SubElement(track, "box", {**state, **sides})
    for action in actions:
        attribute = ElementTree.SubElement(element, "attribute", name=action)
        attribute.text = "true" if action in box.actions else "false"
